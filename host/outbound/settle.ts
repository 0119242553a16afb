/** Acks → dispatch states, and a notice to the person wherever a message ended without an answer. */
import type { Ack, Address } from '@halfdoor/protocol/message';
import type { Central, Tx } from '../db/central.ts';
import { compiled } from '../db/compiled.ts';
import type { Outbox } from '../files/outbox.ts';
import type { Ids } from '../ids.ts';
import { failureText, NO_REPLY_TEXT } from './failure.ts';
import { insertNotice } from './notice.ts';

export type CollectDeps = {
  central: Central;
  outbox: Pick<Outbox, 'copy' | 'keep' | 'drop'>;
  ids: Ids;
  now(): string;
  /** Whether a chat's head may be handed to its platform right after this commit. */
  mayTake(address: Address): boolean;
  /** Over every reason, before it stands in central and before anybody is told. */
  redact(text: string): string;
};
export type CollectedFrom = { sessionId: string; agentId: string };

export type Settled = { dispatchId: string; eventId: string; wakes: boolean; state: 'done' | 'failed' | 'dead' };
type SettledRow = Settled & { kind: string; reason: string | null };

/** Only open dispatches of this very session change; an ack for anything else is ignored. */
export async function settle(
  deps: CollectDeps,
  tx: Tx,
  from: CollectedFrom,
  acks: Ack[],
): Promise<{ settled: Settled[]; notified: Address[] }> {
  const rows: SettledRow[] = [];
  for (const ack of acks) {
    const row = await settleOne(deps, tx, from.sessionId, ack.messageId, ack.status, ack.reason);
    if (row) rows.push(row);
  }
  return { settled: rows, notified: await tellPeople(deps, tx, from, rows) };
}

type End = { id: string; sessionId: string; state: Settled['state']; reason: string | null; now: string };
const END_DISPATCH = compiled((db, it: End) =>
  db
    .updateTable('dispatches')
    .set({ state: it.state, reason: it.reason, settled_at: it.now, due_at: null })
    .where('id', '=', it.id)
    .where('session_id', '=', it.sessionId)
    .where('state', '=', 'open')
    .returning(['event_id', 'kind', 'wakes']),
);
const ADDRESS_OF = compiled((db, it: { eventId: string }) =>
  db.selectFrom('events').select(['channel', 'chat', 'thread']).where('id', '=', it.eventId),
);
const ANSWER_TO = compiled((db, it: { eventId: string }) =>
  db
    .selectFrom('delivery_events')
    .innerJoin('deliveries', 'deliveries.id', 'delivery_events.delivery_id')
    .select('delivery_id')
    .where('event_id', '=', it.eventId)
    // What the host said when an earlier try failed is no answer.
    .where('seq', 'is not', null)
    .limit(1),
);

/** Ends one dispatch; null when it was not open. */
export async function settleOne(
  deps: Pick<CollectDeps, 'now' | 'redact'>,
  tx: Tx,
  sessionId: string,
  dispatchId: string,
  state: 'done' | 'failed' | 'dead',
  said: string | null,
): Promise<SettledRow | null> {
  const reason = said === null ? null : deps.redact(said);
  const row = await END_DISPATCH.first(tx, { id: dispatchId, sessionId, state, reason, now: deps.now() });
  if (!row) return null;
  return { dispatchId, eventId: row.event_id, wakes: row.wakes === 1, state, kind: row.kind, reason };
}

/** One notice for all messages of one chat that ended for one reason. */
export async function tellPeople(
  deps: Pick<CollectDeps, 'ids' | 'now'>,
  tx: Tx,
  from: CollectedFrom,
  rows: SettledRow[],
): Promise<Address[]> {
  const groups = new Map<string, { text: string; address: Address; rows: SettledRow[] }>();
  for (const row of rows) {
    const text = await textFor(tx, row);
    if (text === null) continue;
    const address = await ADDRESS_OF.one(tx, { eventId: row.eventId });
    const key = JSON.stringify([address.channel, address.chat, text]);
    const group = groups.get(key) ?? { text, address, rows: [] };
    group.rows.push(row);
    groups.set(key, group);
  }
  for (const { text, address, rows: told } of groups.values()) {
    const eventIds = told.map((row) => row.eventId);
    const key = `settled:${told[0]?.dispatchId}`;
    await insertNotice(tx, { key, ...from, address, text, eventIds }, deps.ids, deps.now());
  }
  return [...groups.values()].map((group) => group.address);
}

async function textFor(tx: Tx, row: SettledRow): Promise<string | null> {
  if (row.kind === 'control') return row.state === 'done' ? 'Stopped.' : failureText(row.reason);
  if (row.kind !== 'chat' || !row.wakes || row.reason === 'stopped') return null;
  if (row.state !== 'done') return failureText(row.reason);
  return (await ANSWER_TO.first(tx, { eventId: row.eventId })) ? null : NO_REPLY_TEXT;
}
