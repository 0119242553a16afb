/**
 * Every outbound row on its way to one destination. A queue is one chat: its head is `sending`, the rest `queued`, and
 * nothing overtakes. Rows enter here and nowhere else.
 */
import type { Address } from '@halfdoor/protocol/message';
import type { Insertable } from 'kysely';
import type { Button, OutgoingFile } from '../channels/channel.ts';
import type { Tx } from '../db/central.ts';
import { compiled } from '../db/compiled.ts';
import type { Schema } from '../db/schema.ts';
import type { Ids } from '../ids.ts';

/** Content of a delivery as it is stored. A notice is made by the host, a message by an agent. */
export type DeliveryContent = {
  type: 'message' | 'notice';
  text: string;
  files?: readonly OutgoingFile[];
  buttons?: readonly Button[];
};

export type NewDelivery = {
  /** Where copies lie under this id already. */
  id?: string | undefined;
  agentId: string;
  sessionId: string | null;
  /** Outbound seq; null for what the host says itself. */
  seq: number | null;
  /** The same key is the same notice, however often it is made. */
  noticeKey: string | null;
  address: Address;
  destination: string | null;
  content: DeliveryContent;
  /** Events this answers. */
  eventIds: string[];
};

export type Delivery = {
  ordinal: number;
  id: string;
  sessionId: string | null;
  agentId: string;
  seq: number | null;
  address: Address;
  destination: string | null;
  content: DeliveryContent;
  tries: number;
  mayBeDuplicate: boolean;
  /** What the platform calls the parts of a long text that have arrived. */
  arrived: (string | null)[];
  /** Events this answers. */
  answers: string[];
};

/** A chat's queue by name. */
export const queueOf = (address: Address): string => JSON.stringify([address.channel, address.chat]);

type DeliveryRow = Omit<
  Insertable<Schema['deliveries']>,
  'ordinal' | 'state' | 'tries' | 'may_be_duplicate' | 'due_at' | 'platform_id' | 'reason' | 'settled_at' | 'arrived'
>;
const INSERT_DELIVERY = compiled((db, it: DeliveryRow) =>
  db
    .insertInto('deliveries')
    .values({
      id: it.id,
      session_id: it.session_id,
      agent_id: it.agent_id,
      seq: it.seq,
      notice_key: it.notice_key,
      channel: it.channel,
      chat: it.chat,
      thread: it.thread,
      destination: it.destination,
      content: it.content,
      state: 'queued',
      tries: 0,
      may_be_duplicate: 0,
      created_at: it.created_at,
    })
    .onConflict((conflict) => conflict.columns(['session_id', 'seq']).doNothing())
    .onConflict((conflict) => conflict.column('notice_key').doNothing()),
);
const LINK_EVENT = compiled((db, it: { eventId: string; deliveryId: string }) =>
  db.insertInto('delivery_events').values({ event_id: it.eventId, delivery_id: it.deliveryId }),
);

/** Inserts one row, `queued`, linked to what it answers. Returns false when it was there already. */
export async function insertDelivery(tx: Tx, it: NewDelivery, ids: Ids, now: string): Promise<boolean> {
  const id = it.id ?? ids();
  const inserted = await INSERT_DELIVERY.run(tx, {
    id,
    session_id: it.sessionId,
    agent_id: it.agentId,
    seq: it.seq,
    notice_key: it.noticeKey,
    ...it.address,
    destination: it.destination,
    content: JSON.stringify(it.content),
    created_at: now,
  });
  if (inserted === 0) return false;
  for (const eventId of it.eventIds) await LINK_EVENT.run(tx, { eventId, deliveryId: id });
  return true;
}

type QueueAt = { channel: string; chat: string; now: string };
const TAKE_HEAD = compiled((db, it: QueueAt) =>
  db
    .updateTable('deliveries')
    .set({ state: 'sending' })
    .where('ordinal', '=', (eb) =>
      eb
        .selectFrom('deliveries')
        .select('ordinal')
        .where('channel', '=', it.channel)
        .where('chat', '=', it.chat)
        .where('state', 'in', ['queued', 'sending'])
        .orderBy('ordinal')
        .limit(1),
    )
    .where('state', '=', 'queued')
    .where((eb) => eb.or([eb('due_at', 'is', null), eb('due_at', '<=', it.now)]))
    .returningAll(),
);
const EVENTS_ANSWERED = compiled((db, it: { id: string }) =>
  db.selectFrom('delivery_events').select('event_id').where('delivery_id', '=', it.id),
);

/**
 * Marks the head of the queue `sending` and returns it, so that it can be handed to the platform after this commit.
 * Null when there is nothing, when the head is under way already, or when it is not due yet.
 */
export async function takeHead(tx: Tx, { channel, chat }: Address, now: string): Promise<Delivery | null> {
  const row = await TAKE_HEAD.first(tx, { channel, chat, now });
  if (!row) return null;
  const answers = await EVENTS_ANSWERED.all(tx, { id: row.id });
  return {
    ordinal: row.ordinal,
    id: row.id,
    sessionId: row.session_id,
    agentId: row.agent_id,
    seq: row.seq,
    address: { channel: row.channel, chat: row.chat, thread: row.thread },
    destination: row.destination,
    content: JSON.parse(row.content) as DeliveryContent,
    tries: row.tries,
    mayBeDuplicate: row.may_be_duplicate === 1,
    arrived: JSON.parse(row.arrived) as (string | null)[],
    answers: answers.map((it) => it.event_id),
  };
}

/** Parts of it that are not to be sent again; what may have arrived twice was told with the first of them. */
export async function noteArrived(tx: Tx, ordinal: number, arrived: (string | null)[]): Promise<void> {
  await tx
    .updateTable('deliveries')
    .set({ arrived: JSON.stringify(arrived) })
    .where('ordinal', '=', ordinal)
    .execute();
}

/** The heads of these chats' queues, marked `sending` in the same commit. */
export async function takeHeads(
  deps: { now(): string; mayTake(address: Address): boolean },
  tx: Tx,
  chats: Address[],
): Promise<Delivery[]> {
  const heads: Delivery[] = [];
  for (const address of new Map(chats.map((it) => [queueOf(it), it])).values()) {
    const head = deps.mayTake(address) ? await takeHead(tx, address, deps.now()) : null;
    if (head) heads.push(head);
  }
  return heads;
}
