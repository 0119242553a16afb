/**
 * New rows of outbound.db → deliveries, dispatch states and cursor, in one commit. After it the outbound file is never
 * asked about them again.
 */
import { isFault } from '@halfdoor/protocol/fault';
import { parseAck, parseOutbound } from '@halfdoor/protocol/host';
import { LIMITS } from '@halfdoor/protocol/limits';
import type { Ack, Address, OutboundMessage, Row } from '@halfdoor/protocol/message';
import type { Tx } from '../db/central.ts';
import { compiled } from '../db/compiled.ts';
import { park, type Outcome, type Parked } from '../actions/park.ts';
import type { Copied } from '../files/outbox.ts';
import { authorize } from './authorize.ts';
import { insertDelivery, takeHeads, type Delivery } from './ledger.ts';
import { settle, type CollectDeps, type CollectedFrom, type Settled } from './settle.ts';
import { keepUnsent } from './unsent.ts';

export type Collected = {
  cursor: number;
  /** Heads of queues, now `sending`: to be handed to their platforms. */
  heads: Delivery[];
  settled: Settled[];
  /** What the agent is told about rows that were refused. */
  refused: { seq: number; text: string }[];
  /** What waits for the model's quota from here on. */
  parked: Parked | null;
};

/** The file claims what no runner of ours would write: it was tampered with. */
export class HostileRows extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'HostileRows';
  }
}

type Batch = { messages: OutboundMessage[]; acks: Ack[]; bad: { seq: number; reason: string }[] };

/** Parses at the border. A row that does not parse is refused alone; a seq out of rule throws `HostileRows`. */
export function parseRows(rows: { messages: Row[]; acks: Row[]; cursor: number }, cursor: number): Batch {
  const bad: Batch['bad'] = [];
  const each = <T>(list: Row[], parse: (row: Row) => T): T[] => {
    let last = cursor;
    return list.flatMap((row) => {
      const seq = row.seq;
      if (typeof seq !== 'number' || seq % 2 !== 1 || seq <= last || seq > cursor + LIMITS.seqAhead) {
        throw new HostileRows(`seq ${String(seq)} after ${last}`);
      }
      last = seq;
      try {
        return [parse(row)];
      } catch (error) {
        if (!isFault(error, 'bad-row')) throw error;
        bad.push({ seq, reason: error.message });
        return [];
      }
    });
  };
  return { messages: each(rows.messages, parseOutbound), acks: each(rows.acks, parseAck), bad };
}

const NOT_PARKED: Outcome = { parked: null, settled: [], told: [] };
const MOVE_CURSOR = compiled((db, it: { id: string; cursor: number }) =>
  db.updateTable('sessions').set({ cursor: it.cursor }).where('id', '=', it.id),
);

/** Throws `HostileRows` before anything is written. */
export async function collect(
  deps: CollectDeps,
  from: CollectedFrom,
  cursor: number,
  rows: { messages: Row[]; acks: Row[]; cursor: number },
): Promise<Collected> {
  const batch = parseRows(rows, cursor);
  const next = Math.max(cursor, ...[...rows.messages, ...rows.acks].map((row) => Number(row.seq)));
  const copies = await deps.outbox.copy(from, batch.messages);
  const commit = deps.central.commit('collect', async (tx) => {
    const chats: Address[] = [];
    let parks: OutboundMessage | null = null;
    const refused = batch.bad.map(({ seq, reason }) => ({ seq, text: `Row ${seq} was refused: ${reason}` }));
    for (const row of batch.messages) {
      const copied = copies.get(row.seq);
      const verdict = copied?.refused ?? (await authorize(tx, from.agentId, row));
      if (verdict === null) continue;
      if (verdict.allowed && verdict.address === null) parks = row;
      else if (verdict.allowed) chats.push(await addDelivery(deps, tx, from, row, verdict, copied));
      else refused.push({ seq: row.seq, text: await refuse(deps, tx, from, row, verdict) });
    }
    await keepUnsent(tx, from, batch.messages, refused, deps.now());
    const { settled, notified } = await settle(deps, tx, from, batch.acks);
    const put: Outcome = parks === null ? NOT_PARKED : await park(deps, tx, from, parks);
    await MOVE_CURSOR.run(tx, { id: from.sessionId, cursor: next });
    const heads = await takeHeads(deps, tx, [...chats, ...notified, ...put.told]);
    return { cursor: next, heads, settled: [...settled, ...put.settled], refused, parked: put.parked };
  });
  return commit.catch((error: unknown) => deps.outbox.drop(copies, error));
}

async function addDelivery(
  deps: CollectDeps,
  tx: Tx,
  from: CollectedFrom,
  row: OutboundMessage,
  to: { address: Address; destination: string },
  copied: Copied | undefined,
): Promise<Address> {
  const text = row.kind === 'message' ? row.text : '';
  const copy = copied?.refused === null ? copied : null;
  const eventIds = await eventsOf(tx, from.sessionId, row.answers);
  await insertDelivery(
    tx,
    {
      ...from,
      id: copy?.delivery,
      seq: row.seq,
      noticeKey: null,
      address: to.address,
      destination: to.destination,
      content: { type: 'message', text, ...(copy && { files: copy.files }) },
      eventIds,
    },
    deps.ids,
    deps.now(),
  );
  await deps.outbox.keep(tx, from, row.seq, copied);
  return to.address;
}

const EVENT_OF = compiled((db, it: { id: string; sessionId: string }) =>
  db.selectFrom('dispatches').select('event_id').where('id', '=', it.id).where('session_id', '=', it.sessionId),
);

async function eventsOf(tx: Tx, sessionId: string, dispatchIds: string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const id of dispatchIds) {
    const row = await EVENT_OF.first(tx, { id, sessionId });
    if (row) found.add(row.event_id);
  }
  return [...found];
}

async function refuse(
  deps: CollectDeps,
  tx: Tx,
  from: CollectedFrom,
  row: OutboundMessage,
  why: { action: string; target: string; reason: string },
): Promise<string> {
  await tx
    .insertInto('audit')
    .values({
      id: deps.ids(),
      at: deps.now(),
      session_id: from.sessionId,
      agent_id: from.agentId,
      actor: `agent:${from.agentId}`,
      action: why.action,
      target: why.target,
      verdict: 'deny',
      reason: why.reason,
    })
    .execute();
  return `Message ${row.seq} was not sent: ${why.reason}.`;
}
