/** Everything central knows about one event, read as it stands. */
import type { Kysely } from 'kysely';
import type { Address } from '@halfdoor/protocol/message';
import type { Schema } from '../db/schema.ts';

const LIMIT = 200;

export type EventFact = {
  id: string;
  kind: 'message' | 'command' | 'notice';
  address: Address;
  platformId: string;
  sender: string | null;
  role: string | null;
  text: string;
  receivedAt: string;
  repeats: number;
  repeatedAt: string | null;
};
export type DispatchFact = {
  id: string;
  kind: 'chat' | 'control' | 'notice';
  state: 'open' | 'done' | 'failed' | 'dead';
  agent: string;
  sessionId: string;
  sessionRun: number;
  sessionEnded: boolean;
  cursor: number;
  tries: { n: number; run: number | null; ending: string; at: string }[];
  reason: string | null;
  /** Until when it waits for the model's quota, and since when it first did. */
  dueAt: string | null;
  parkedAt: string | null;
  settledAt: string | null;
  replayOf: string | null;
  closed: 'replayed' | 'dropped' | null;
  closedAt: string | null;
  /** Runs of its session between its accept and its end. */
  runs: { run: number; startedAt: string; endedAt: string | null; ending: string | null }[];
};
export type DeliveryFact = {
  ordinal: number;
  id: string;
  sessionId: string | null;
  seq: number | null;
  address: Address;
  destination: string | null;
  text: string;
  state: 'queued' | 'sending' | 'delivered' | 'dead';
  tries: number;
  mayBeDuplicate: boolean;
  dueAt: string | null;
  platformId: string | null;
  reason: string | null;
  createdAt: string;
  settledAt: string | null;
  closed: 'dropped' | null;
  closedAt: string | null;
  /** What stands before it in the queue of its chat. */
  ahead: { count: number; first: { id: string; dueAt: string | null; reason: string | null } } | null;
};
export type UnsentFact = {
  sessionId: string;
  seq: number;
  run: number | null;
  kind: 'scratch' | 'message' | 'action' | 'unreadable';
  target: string | null;
  text: string;
  refused: string | null;
  at: string;
};
export type Facts = {
  event: EventFact;
  dispatches: DispatchFact[];
  deliveries: DeliveryFact[];
  unsent: UnsentFact[];
};

/** Ids of events that begin so, at most two. */
export async function eventsBeginning(db: Kysely<Schema>, beginning: string): Promise<string[]> {
  const rows = await db
    .selectFrom('events')
    .select('id')
    .where('id', '>=', beginning)
    .where('id', '<', `${beginning}g`)
    .limit(2)
    .execute();
  return rows.map((row) => row.id);
}

/** Null when there is no such event. */
export async function factsOf(db: Kysely<Schema>, eventId: string): Promise<Facts | null> {
  const row = await db.selectFrom('events').selectAll().where('id', '=', eventId).executeTakeFirst();
  if (!row) return null;
  const { text = '' } = JSON.parse(row.content) as { text?: string };
  const event: EventFact = {
    id: row.id,
    kind: row.kind,
    address: { channel: row.channel, chat: row.chat, thread: row.thread },
    platformId: row.platform_id,
    sender: row.sender,
    role: row.role,
    text,
    receivedAt: row.received_at,
    repeats: row.repeats,
    repeatedAt: row.repeated_at,
  };
  return {
    event,
    dispatches: await dispatchesOf(db, event),
    deliveries: await deliveriesOf(db, eventId),
    unsent: await unsentOf(db, eventId),
  };
}

async function dispatchesOf(db: Kysely<Schema>, event: EventFact): Promise<DispatchFact[]> {
  const rows = await db
    .selectFrom('dispatches')
    .innerJoin('agents', 'agents.id', 'dispatches.agent_id')
    .innerJoin('sessions', 'sessions.id', 'dispatches.session_id')
    .select(['dispatches.id', 'kind', 'state', 'reason', 'settled_at', 'replay_of', 'closed', 'closed_at'])
    .select(['due_at', 'parked_at', 'agents.name', 'session_id', 'sessions.run', 'sessions.ended_at', 'cursor'])
    .where('event_id', '=', event.id)
    .orderBy('dispatches.id')
    .limit(LIMIT)
    .execute();
  return Promise.all(
    rows.map(async (row) => ({
      id: row.id,
      kind: row.kind,
      state: row.state,
      agent: row.name,
      sessionId: row.session_id,
      sessionRun: row.run,
      sessionEnded: row.ended_at !== null,
      cursor: row.cursor,
      tries: await triesOf(db, row.id),
      reason: row.reason,
      dueAt: row.due_at,
      parkedAt: row.parked_at,
      settledAt: row.settled_at,
      replayOf: row.replay_of,
      closed: row.closed,
      closedAt: row.closed_at,
      runs: await runsBetween(db, row.session_id, event.receivedAt, row.settled_at),
    })),
  );
}

const triesOf = (db: Kysely<Schema>, dispatchId: string) =>
  db
    .selectFrom('tries')
    .select(['n', 'run', 'ending', 'at'])
    .where('dispatch_id', '=', dispatchId)
    .orderBy('n')
    .limit(LIMIT)
    .execute();

/** Times of one host compare as text. A run that ended in the same commit as the message still counts. */
async function runsBetween(db: Kysely<Schema>, sessionId: string, from: string, to: string | null) {
  let query = db
    .selectFrom('runs')
    .select(['run', 'started_at as startedAt', 'ended_at as endedAt', 'ending'])
    .where('session_id', '=', sessionId)
    .where((eb) => eb.or([eb('ended_at', 'is', null), eb('ended_at', '>=', from)]))
    .orderBy('run')
    .limit(LIMIT);
  if (to !== null) query = query.where('started_at', '<=', to);
  return query.execute();
}

async function deliveriesOf(db: Kysely<Schema>, eventId: string): Promise<DeliveryFact[]> {
  const rows = await db
    .selectFrom('delivery_events')
    .innerJoin('deliveries', 'deliveries.id', 'delivery_events.delivery_id')
    .selectAll('deliveries')
    .where('event_id', '=', eventId)
    .orderBy('ordinal')
    .limit(LIMIT)
    .execute();
  return Promise.all(
    rows.map(async (row) => ({
      ordinal: row.ordinal,
      id: row.id,
      sessionId: row.session_id,
      seq: row.seq,
      address: { channel: row.channel, chat: row.chat, thread: row.thread },
      destination: row.destination,
      text: (JSON.parse(row.content) as { text: string }).text,
      state: row.state,
      tries: row.tries,
      mayBeDuplicate: row.may_be_duplicate === 1,
      dueAt: row.due_at,
      platformId: row.platform_id,
      reason: row.reason,
      createdAt: row.created_at,
      settledAt: row.settled_at,
      closed: row.closed,
      closedAt: row.closed_at,
      ahead: row.state === 'queued' ? await aheadOf(db, row) : null,
    })),
  );
}

async function aheadOf(
  db: Kysely<Schema>,
  row: { channel: string; chat: string; ordinal: number },
): Promise<DeliveryFact['ahead']> {
  const rows = await db
    .selectFrom('deliveries')
    .select(['id', 'due_at as dueAt', 'reason'])
    .where('channel', '=', row.channel)
    .where('chat', '=', row.chat)
    .where('state', 'in', ['queued', 'sending'])
    .where('ordinal', '<', row.ordinal)
    .orderBy('ordinal')
    .limit(LIMIT)
    .execute();
  const first = rows[0];
  return first ? { count: rows.length, first } : null;
}

const unsentOf = (db: Kysely<Schema>, eventId: string): Promise<UnsentFact[]> =>
  db
    .selectFrom('unsent_events')
    .innerJoin('unsent', (join) =>
      join.onRef('unsent.session_id', '=', 'unsent_events.session_id').onRef('unsent.seq', '=', 'unsent_events.seq'),
    )
    .select(['unsent.session_id as sessionId', 'unsent.seq', 'run', 'kind', 'target', 'text', 'refused', 'at'])
    .where('event_id', '=', eventId)
    .orderBy('unsent.seq')
    .limit(LIMIT)
    .execute();
