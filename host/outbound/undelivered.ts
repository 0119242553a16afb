/** A delivery that was given up: whoever waits for it hears so, unless theirs is the very chat that cannot be reached. */
import { sameChat, type Address } from '@halfdoor/protocol/message';
import type { Tx } from '../db/central.ts';
import type { Ids } from '../ids.ts';
import { undeliveredText } from './failure.ts';
import { queueOf, takeHeads, type Delivery } from './ledger.ts';
import { insertNotice } from './notice.ts';

export type UndeliveredDeps = { ids: Ids; now(): string; mayTake(address: Address): boolean };

/** Returns heads of queues, now `sending`. */
export async function tellUndelivered(
  deps: UndeliveredDeps,
  tx: Tx,
  delivery: Delivery,
  reason: string,
): Promise<Delivery[]> {
  const asked = await tx
    .selectFrom('delivery_events')
    .innerJoin('events', 'events.id', 'delivery_events.event_id')
    .select(['events.id', 'events.channel', 'events.chat', 'events.thread'])
    .where('delivery_events.delivery_id', '=', delivery.id)
    .where('events.channel', '!=', 'host')
    .orderBy('events.id')
    .execute();
  const waiting = Map.groupBy(
    asked.filter((it) => !sameChat(it, delivery.address)),
    (it) => queueOf(it),
  );
  const told: Address[] = [];
  for (const [queue, events] of waiting) {
    const [first] = events;
    if (!first) continue;
    const address = { channel: first.channel, chat: first.chat, thread: first.thread };
    const { agentId, sessionId, destination } = delivery;
    const key = `undelivered:${delivery.id}:${queue}`;
    const text = undeliveredText(destination, reason);
    const eventIds = events.map((it) => it.id);
    await insertNotice(tx, { key, agentId, sessionId, address, text, eventIds }, deps.ids, deps.now());
    told.push(address);
  }
  return takeHeads(deps, tx, told);
}
