/** Deliveries that a host before left unended, and those that somebody confirmed another way. */
import type { Address } from '@halfdoor/protocol/message';
import type { Kysely } from 'kysely';
import type { Tx } from '../db/central.ts';
import { compiled } from '../db/compiled.ts';
import type { Schema } from '../db/schema.ts';
import { queueOf } from './ledger.ts';

const NOT_ENDED = compiled((db) =>
  db
    .selectFrom('deliveries')
    .select(['ordinal', 'channel', 'chat', 'state', 'due_at as dueAt'])
    .where('state', 'in', ['queued', 'sending'])
    .orderBy('ordinal'),
);

/**
 * What was `sending` may have arrived: it is queued again, and says so unless its platform knows it by its id. Returns
 * the chats with something to send, and when their heads are due.
 */
export async function putBack(
  tx: Tx,
  isIdempotent: (channel: string) => boolean,
): Promise<(Address & { dueAt: string | null })[]> {
  const open = await NOT_ENDED.all(tx, {});
  for (const { ordinal, channel } of open.filter((it) => it.state === 'sending')) {
    const duplicate = isIdempotent(channel) ? 0 : 1;
    await tx
      .updateTable('deliveries')
      .set((eb) => ({ state: 'queued', may_be_duplicate: eb.fn('max', ['may_be_duplicate', eb.val(duplicate)]) }))
      .where('ordinal', '=', ordinal)
      .execute();
  }
  // The first of each chat is its head, the only one that is ever due at a time.
  const heads = open.map(({ channel, chat, dueAt }) => ({ channel, chat, thread: null, dueAt }));
  return [...new Map(heads.toReversed().map((it) => [queueOf(it), it])).values()];
}

/** The chats of this channel with something to send. */
export async function waitingChats(db: Kysely<Schema>, channel: string): Promise<Address[]> {
  const rows = await db
    .selectFrom('deliveries')
    .select('chat')
    .distinct()
    .where('channel', '=', channel)
    .where('state', 'in', ['queued', 'sending'])
    .execute();
  return rows.map(({ chat }) => ({ channel, chat, thread: null }));
}

export type Confirmed = Address & { sessionId: string | null; seq: number | null };

/** Ends them as delivered. Returns those that were not ended. */
export async function confirmAll(tx: Tx, ids: string[], now: string): Promise<Confirmed[]> {
  return tx
    .updateTable('deliveries')
    .set({ state: 'delivered', settled_at: now, due_at: null })
    .where('id', 'in', ids)
    .where('state', 'in', ['queued', 'sending'])
    .returning(['channel', 'chat', 'thread', 'session_id as sessionId', 'seq'])
    .execute();
}
