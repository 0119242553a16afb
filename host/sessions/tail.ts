/** What goes into a session and comes out of it, as central knows it: the last of it, then what is new since. */
import type { Kysely } from 'kysely';
import type { TailEvent } from '../api/operator-contract.ts';
import type { Schema } from '../db/schema.ts';
import { timeOfId } from '../ids.ts';
import type { DeliveryContent } from '../outbound/ledger.ts';

const SHOWN = 20;
const LIMIT = 200;
/** Of what has the same time. */
const ORDER: readonly TailEvent['type'][] = ['in', 'run', 'progress', 'out', 'settled', 'delivered'];

/** Reads on from where it was: each call of `next` returns what was not told yet, oldest first. One call at a time. */
export class Tail {
  readonly #db: Kysely<Schema>;
  readonly #sessionId: string;
  #dispatch = '';
  #ordinal = 0;
  #run = 0;
  readonly #openDispatches = new Set<string>();
  readonly #openDeliveries = new Set<string>();
  readonly #openRuns = new Set<number>();
  #first = true;

  constructor(db: Kysely<Schema>, sessionId: string) {
    this.#db = db;
    this.#sessionId = sessionId;
  }

  async next(): Promise<TailEvent[]> {
    const events = [
      ...(await this.#settled()),
      ...(await this.#delivered()),
      ...(await this.#runsEnded()),
      ...(await this.#dispatches()),
      ...(await this.#deliveries()),
      ...(await this.#runs()),
    ];
    this.#first = false;
    return events.sort((a, b) =>
      a.at === b.at ? ORDER.indexOf(a.type) - ORDER.indexOf(b.type) : a.at < b.at ? -1 : 1,
    );
  }

  async #dispatches(): Promise<TailEvent[]> {
    const rows = await this.#db
      .selectFrom('dispatches')
      .innerJoin('events', 'events.id', 'dispatches.event_id')
      .select(['dispatches.id', 'event_id', 'dispatches.kind', 'state', 'reason', 'settled_at', 'replay_of'])
      .select(['received_at', 'sender', 'content'])
      .where('session_id', '=', this.#sessionId)
      .where('dispatches.id', '>', this.#dispatch)
      .orderBy('dispatches.id', this.#first ? 'desc' : 'asc')
      .limit(this.#first ? SHOWN : LIMIT)
      .execute();
    return rows.flatMap((row): TailEvent[] => {
      const { id, kind, sender, event_id: message, settled_at } = row;
      // Taken up again, it comes in anew.
      const at = row.replay_of === null ? row.received_at : timeOfId(id);
      if (id > this.#dispatch) this.#dispatch = id;
      const { text = '' } = JSON.parse(row.content) as { text?: string };
      const came: TailEvent = { type: 'in', at, message, kind, sender, text };
      if (row.state !== 'open') return [came, settled(message, row.state, row.reason, settled_at)];
      this.#openDispatches.add(id);
      return [came];
    });
  }

  async #settled(): Promise<TailEvent[]> {
    if (this.#openDispatches.size === 0) return [];
    const rows = await this.#db
      .selectFrom('dispatches')
      .select(['id', 'event_id', 'state', 'reason', 'settled_at'])
      .where('id', 'in', [...this.#openDispatches])
      .where('state', '!=', 'open')
      .execute();
    return rows.flatMap(({ id, event_id, state, reason, settled_at }) => {
      this.#openDispatches.delete(id);
      return state === 'open' ? [] : [settled(event_id, state, reason, settled_at)];
    });
  }

  async #deliveries(): Promise<TailEvent[]> {
    const rows = await this.#db
      .selectFrom('deliveries')
      .select(['ordinal', 'id', 'seq', 'channel', 'chat', 'content', 'state', 'reason', 'created_at', 'settled_at'])
      .where('session_id', '=', this.#sessionId)
      .where('ordinal', '>', this.#ordinal)
      .orderBy('ordinal', this.#first ? 'desc' : 'asc')
      .limit(this.#first ? SHOWN : LIMIT)
      .execute();
    return rows.flatMap((row): TailEvent[] => {
      this.#ordinal = Math.max(this.#ordinal, row.ordinal);
      const { type, text } = JSON.parse(row.content) as DeliveryContent;
      const to = `${row.channel}:${row.chat}`;
      const { id: delivery, seq, created_at: at } = row;
      const said: TailEvent = { type: 'out', at, delivery, seq, to, notice: type === 'notice', text };
      if (row.state === 'delivered' || row.state === 'dead') {
        return [said, delivered(delivery, row.state, row.reason, row.settled_at)];
      }
      this.#openDeliveries.add(delivery);
      return [said];
    });
  }

  async #delivered(): Promise<TailEvent[]> {
    if (this.#openDeliveries.size === 0) return [];
    const rows = await this.#db
      .selectFrom('deliveries')
      .select(['id', 'state', 'reason', 'settled_at'])
      .where('id', 'in', [...this.#openDeliveries])
      .execute();
    return rows.flatMap(({ id, state, reason, settled_at }) => {
      if (state !== 'delivered' && state !== 'dead') return [];
      this.#openDeliveries.delete(id);
      return [delivered(id, state, reason, settled_at)];
    });
  }

  async #runs(): Promise<TailEvent[]> {
    const rows = await this.#db
      .selectFrom('runs')
      .select(['run', 'started_at', 'ended_at', 'ending'])
      .where('session_id', '=', this.#sessionId)
      .where('run', '>', this.#run)
      .orderBy('run', this.#first ? 'desc' : 'asc')
      .limit(this.#first ? SHOWN : LIMIT)
      .execute();
    return rows.flatMap(({ run, started_at: at, ended_at, ending }): TailEvent[] => {
      this.#run = Math.max(this.#run, run);
      const began: TailEvent = { type: 'run', at, run, ending: null };
      if (ended_at !== null) return [began, { type: 'run', at: ended_at, run, ending: ending ?? 'unknown' }];
      this.#openRuns.add(run);
      return [began];
    });
  }

  async #runsEnded(): Promise<TailEvent[]> {
    if (this.#openRuns.size === 0) return [];
    const rows = await this.#db
      .selectFrom('runs')
      .select(['run', 'ended_at', 'ending'])
      .where('session_id', '=', this.#sessionId)
      .where('run', 'in', [...this.#openRuns])
      .where('ended_at', 'is not', null)
      .execute();
    return rows.map(({ run, ended_at, ending }) => {
      this.#openRuns.delete(run);
      return { type: 'run', at: ended_at ?? '', run, ending: ending ?? 'unknown' };
    });
  }
}

function settled(
  message: string,
  state: 'done' | 'failed' | 'dead',
  reason: string | null,
  at: string | null,
): TailEvent {
  return { type: 'settled', at: at ?? '', message, state, reason };
}

function delivered(delivery: string, state: 'delivered' | 'dead', reason: string | null, at: string | null): TailEvent {
  return { type: 'delivered', at: at ?? '', delivery, state, reason };
}
