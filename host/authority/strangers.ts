/** Who was turned away, and how often: bounded, so that nobody fills the disk by writing to a bot. */
import type { Kysely } from 'kysely';
import type { Incoming } from '../channels/channel-host.ts';
import type { Tx } from '../db/central.ts';
import type { Schema } from '../db/schema.ts';

const MOST_PER_CHANNEL = 1_000;

/** Counts one message of somebody who is nothing here; the longest silent one is forgotten where there are too many. */
export async function noteStranger(tx: Tx, { address, sender }: Incoming, reason: string, at: string): Promise<void> {
  const { channel, chat } = address;
  const { n } = await tx
    .insertInto('strangers')
    .values({ channel, chat, sender, reason, n: 1, first_at: at, last_at: at })
    .onConflict((conflict) =>
      conflict
        .columns(['channel', 'chat', 'sender'])
        .doUpdateSet((eb) => ({ n: eb('strangers.n', '+', 1), reason, last_at: at })),
    )
    .returning('n')
    .executeTakeFirstOrThrow();
  if (n > 1) return;
  const rows = await tx
    .selectFrom('strangers')
    .select(['chat', 'sender'])
    .where('channel', '=', channel)
    .orderBy('last_at', 'desc')
    .offset(MOST_PER_CHANNEL)
    .limit(100)
    .execute();
  for (const row of rows) {
    await tx
      .deleteFrom('strangers')
      .where('channel', '=', channel)
      .where('chat', '=', row.chat)
      .where('sender', '=', row.sender)
      .execute();
  }
}

export type Strangers = { people: number; messages: number; lastAt: string | null };

/** By channel. */
export async function strangersOf(db: Kysely<Schema>): Promise<Map<string, Strangers>> {
  const rows = await db
    .selectFrom('strangers')
    .select((eb) => [
      'channel',
      eb.fn.count<number>('sender').distinct().as('people'),
      eb.fn.sum<number>('n').as('messages'),
      eb.fn.max('last_at').as('lastAt'),
    ])
    .groupBy('channel')
    .execute();
  return new Map(rows.map(({ channel, ...it }) => [channel, it]));
}
