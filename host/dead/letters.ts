/**
 * Dead letters: messages that ended without an answer and may be tried again, and deliveries that were given up. What a
 * person took back or dropped by a clean start is none.
 */
import { sql, type Kysely } from 'kysely';
import type { DeadView } from '../api/operator-contract.ts';
import type { Schema } from '../db/schema.ts';
import { failureOf } from '../outbound/failure.ts';
import type { DeliveryContent } from '../outbound/ledger.ts';
import { Refusal } from '../refusal.ts';

/** Reasons that are a person's own wish. */
const WISHED = ['stopped', 'new-conversation', 'agent-deleted', 'chat-removed'];

/** As text in the query: only then does SQLite use the index of these rows alone. */
const FAILED = sql.lit<'failed'>('failed');
const DEAD = sql.lit<'dead'>('dead');

const messages = (db: Kysely<Schema>) =>
  db
    .selectFrom('dispatches')
    .innerJoin('events', 'events.id', 'dispatches.event_id')
    .innerJoin('agents', 'agents.id', 'dispatches.agent_id')
    .where((eb) => eb.or([eb('state', '=', FAILED), eb('state', '=', DEAD)]))
    .where('closed', 'is', null)
    .where('deleted_at', 'is', null)
    .where('dispatches.kind', '=', 'chat')
    .where('wakes', '=', 1)
    .where((eb) => eb.or([eb('reason', 'is', null), eb('reason', 'not in', WISHED)]));

const deliveries = (db: Kysely<Schema>) =>
  db
    .selectFrom('deliveries')
    .innerJoin('agents', 'agents.id', 'deliveries.agent_id')
    .where('state', '=', DEAD)
    .where('closed', 'is', null)
    // Nobody answers for what an agent said that is gone.
    .where('deleted_at', 'is', null);

/** Those behind `after`, oldest first by id, at most `limit` of both kinds together. */
export async function deadLetters(db: Kysely<Schema>, after: string, limit: number): Promise<DeadView[]> {
  const letters = [
    ...(await readMessages(db, (it) => it.where('dispatches.id', '>', after), limit)),
    ...(await readDeliveries(db, (it) => it.where('deliveries.id', '>', after), limit)),
  ];
  return letters.sort((a, b) => (a.id < b.id ? -1 : 1)).slice(0, limit);
}

/** The one whose id begins so. Throws `Refusal`. */
export async function deadLetter(db: Kysely<Schema>, id: string): Promise<DeadView> {
  const found = /^[0-9a-f-]{4,36}$/.test(id)
    ? [
        ...(await readMessages(
          db,
          (it) => it.where('dispatches.id', '>=', id).where('dispatches.id', '<', `${id}g`),
          2,
        )),
        ...(await readDeliveries(
          db,
          (it) => it.where('deliveries.id', '>=', id).where('deliveries.id', '<', `${id}g`),
          2,
        )),
      ]
    : [];
  const [only, ...more] = found;
  if (only && more.length === 0) return only;
  if (only) throw new Refusal('bad-input', `several dead letters begin with ${id}`, 'Give more of the id.');
  throw new Refusal('not-found', `no dead letter ${id}`, 'See `./halfdoor dead list`.');
}

export async function countDead(db: Kysely<Schema>): Promise<number> {
  const ofMessages = await messages(db)
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .executeTakeFirstOrThrow();
  const ofDeliveries = await deliveries(db)
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .executeTakeFirstOrThrow();
  return ofMessages.n + ofDeliveries.n;
}

type Narrow<Q> = (query: Q) => Q;

async function readMessages(
  db: Kysely<Schema>,
  narrow: Narrow<ReturnType<typeof messages>>,
  limit: number,
): Promise<DeadView[]> {
  const rows = await narrow(messages(db))
    .select(['dispatches.id', 'event_id', 'session_id', 'settled_at', 'tries', 'reason', 'events.content'])
    .select('agents.name')
    .orderBy('dispatches.id')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    kind: 'message',
    agent: row.name,
    sessionId: row.session_id,
    messages: [row.event_id],
    at: row.settled_at ?? '',
    tries: row.tries,
    ...failureOf(row.reason),
    to: null,
    text: (JSON.parse(row.content) as { text: string }).text,
  }));
}

async function readDeliveries(
  db: Kysely<Schema>,
  narrow: Narrow<ReturnType<typeof deliveries>>,
  limit: number,
): Promise<DeadView[]> {
  const rows = await narrow(deliveries(db))
    .select(['deliveries.id', 'session_id', 'settled_at', 'tries', 'reason', 'content', 'channel', 'chat'])
    .select('agents.name')
    .orderBy('deliveries.id')
    .limit(limit)
    .execute();
  return Promise.all(
    rows.map(async (row) => ({
      id: row.id,
      kind: 'delivery' as const,
      agent: row.name,
      sessionId: row.session_id,
      messages: await eventsOf(db, row.id),
      at: row.settled_at ?? '',
      tries: row.tries + 1,
      error: `${row.channel}:${row.chat} did not take it: ${row.reason ?? 'no reason'}`,
      next: `Mend that, then: ./halfdoor dead replay ${row.id}`,
      to: `${row.channel}:${row.chat}`,
      text: (JSON.parse(row.content) as DeliveryContent).text,
    })),
  );
}

async function eventsOf(db: Kysely<Schema>, deliveryId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('delivery_events')
    .select('event_id')
    .where('delivery_id', '=', deliveryId)
    .orderBy('event_id')
    .execute();
  return rows.map((row) => row.event_id);
}
