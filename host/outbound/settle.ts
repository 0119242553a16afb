/** Acks → dispatch states, and a notice to the person wherever a message ended without an answer. */
import type { Ack, Address } from '@halfdoor/protocol/message';
import type { Central, Tx } from '../db/central.ts';
import type { Ids } from '../ids.ts';
import { failureText, NO_REPLY_TEXT } from './failure.ts';
import { insertNotice } from './notice.ts';

export type CollectDeps = {
  central: Central;
  ids: Ids;
  now(): string;
  /** Whether a chat's head may be handed to its platform right after this commit. */
  mayTake(address: Address): boolean;
};
export type CollectedFrom = { sessionId: string; agentId: string };

export type Settled = { dispatchId: string; eventId: string; wakes: boolean; state: 'done' | 'failed' | 'dead' };
type SettledRow = Settled & { address: Address; kind: string; reason: string | null };

/** Only open dispatches of this very session change; an ack for anything else is ignored. */
export async function settle(
  deps: CollectDeps,
  tx: Tx,
  from: CollectedFrom,
  acks: Ack[],
): Promise<{ settled: Settled[]; notified: Address[] }> {
  const rows: SettledRow[] = [];
  for (const ack of acks) {
    const row = await settleOne(tx, from.sessionId, ack.messageId, ack.status, ack.reason, deps.now());
    if (row) rows.push(row);
  }
  return { settled: rows, notified: await tellPeople(deps, tx, from, rows) };
}

/** Ends one dispatch; null when it was not open. */
export async function settleOne(
  tx: Tx,
  sessionId: string,
  dispatchId: string,
  state: 'done' | 'failed' | 'dead',
  reason: string | null,
  now: string,
): Promise<SettledRow | null> {
  const row = await tx
    .updateTable('dispatches')
    .set({ state, reason, settled_at: now, due_at: null })
    .where('id', '=', dispatchId)
    .where('session_id', '=', sessionId)
    .where('state', '=', 'open')
    .returning(['event_id', 'kind', 'wakes'])
    .executeTakeFirst();
  if (!row) return null;
  const event = await tx
    .selectFrom('events')
    .select(['channel', 'chat', 'thread'])
    .where('id', '=', row.event_id)
    .executeTakeFirstOrThrow();
  return { dispatchId, eventId: row.event_id, wakes: row.wakes === 1, state, address: event, kind: row.kind, reason };
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
    const key = JSON.stringify([row.address.channel, row.address.chat, text]);
    const group = groups.get(key) ?? { text, address: row.address, rows: [] };
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
  const answered = await tx
    .selectFrom('delivery_events')
    .select('delivery_id')
    .where('event_id', '=', row.eventId)
    .limit(1)
    .executeTakeFirst();
  return answered ? null : NO_REPLY_TEXT;
}
