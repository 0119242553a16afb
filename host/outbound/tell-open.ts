/** A word to everybody who waits for an answer of one session, while they go on waiting. */
import type { Address } from '@halfdoor/protocol/message';
import { compiled } from '../db/compiled.ts';
import { queueOf, takeHeads, type Delivery } from './ledger.ts';
import { insertNotice } from './notice.ts';
import type { CollectDeps, CollectedFrom } from './settle.ts';

const OPEN_CHATS = compiled((db, it: { sessionId: string }) =>
  db
    .selectFrom('dispatches')
    .innerJoin('events', 'events.id', 'dispatches.event_id')
    .select(['dispatches.id', 'event_id as eventId', 'channel', 'chat', 'thread'])
    .where('session_id', '=', it.sessionId)
    .where('state', '=', 'open')
    .where('wakes', '=', 1)
    .where('dispatches.kind', '=', 'chat')
    .orderBy('dispatches.id'),
);

/** Once for each oldest open message of a chat and `about`, however often it is said. */
export async function tellOpen(
  deps: CollectDeps & { startDelivery(head: Delivery): void },
  from: CollectedFrom,
  about: string,
  text: string,
): Promise<void> {
  const heads = await deps.central.commit('settle-dead', async (tx) => {
    const told: Address[] = [];
    const open = await OPEN_CHATS.all(tx, { sessionId: from.sessionId });
    for (const [chat, of] of Map.groupBy(open, queueOf)) {
      const [first] = of;
      if (!first) continue;
      const address = { channel: first.channel, chat: first.chat, thread: first.thread };
      const key = `${about}:${first.id}:${chat}`;
      const eventIds = of.map((it) => it.eventId);
      await insertNotice(tx, { key, ...from, address, text, eventIds }, deps.ids, deps.now());
      told.push(address);
    }
    return takeHeads(deps, tx, told);
  });
  for (const head of heads) deps.startDelivery(head);
}
