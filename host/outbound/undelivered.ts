/**
 * A delivery that was given up: whoever waits for it hears so, unless theirs is the very chat that cannot be reached, and
 * so does the agent that sent it, with the next thing it reads.
 */
import { sameChat, type Address } from '@halfdoor/protocol/message';
import type { Tx } from '../db/central.ts';
import type { Ids } from '../ids.ts';
import type { ToEnqueue } from '../inbound/dispatch.ts';
import { tellOne } from '../sessions/tell-agent.ts';
import { undeliveredText, undeliveredToAgentText } from './failure.ts';
import { queueOf, takeHeads, type Delivery } from './ledger.ts';
import { insertNotice } from './notice.ts';

/** Heads of queues, now `sending`, and what is to be projected. */
export type Undelivered = { heads: Delivery[]; toAgent: ToEnqueue[] };
export type UndeliveredDeps = { ids: Ids; now(): string; mayTake(address: Address): boolean };

export async function tellUndelivered(
  deps: UndeliveredDeps,
  tx: Tx,
  delivery: Delivery,
  reason: string,
): Promise<Undelivered> {
  const toAgent = await tellSender(deps, tx, delivery, reason);
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
  return { heads: await takeHeads(deps, tx, told), toAgent };
}

/** One that is taken up again and given up again has another place by then, and is told again. */
async function tellSender(deps: UndeliveredDeps, tx: Tx, it: Delivery, reason: string): Promise<ToEnqueue[]> {
  const { sessionId, agentId, seq } = it;
  if (sessionId === null || seq === null) return [];
  const text = undeliveredToAgentText(seq, it.destination, reason);
  const message = await tellOne(deps, tx, { sessionId, agentId, key: `undelivered:${it.id}:${it.ordinal}`, text });
  return message === null ? [] : [{ sessionId, agentId, message }];
}
