/** What the http channel reads of central, for each message and each reader. */
import type { Kysely } from 'kysely';
import type { Known, Said } from '../channels/http/types.ts';
import { compiled } from '../db/compiled.ts';
import type { Schema } from '../db/schema.ts';
import { textFor } from '../files/unshown.ts';
import type { DeliveryContent } from '../outbound/ledger.ts';

const KNOWN = compiled((db, it: { channel: string; chat: string; key: string }) =>
  db
    .selectFrom('events')
    .select(['sender', 'thread', 'content'])
    .where('channel', '=', it.channel)
    .where('chat', '=', it.chat)
    .where('platform_id', '=', it.key),
);

/** Everything that came with this key: a message, a command, or both. */
export async function knownAs(
  db: Kysely<Schema>,
  it: { channel: string; chat: string; key: string },
): Promise<Known[]> {
  const rows = await KNOWN.all(db, it);
  return rows.map(({ sender, thread, content }) => ({
    sender,
    thread,
    text: (JSON.parse(content) as { text: string }).text,
  }));
}

const SAYER = compiled((db, it: { delivery: string }) =>
  db
    .selectFrom('deliveries')
    .innerJoin('agents', 'agents.id', 'deliveries.agent_id')
    .select('agents.name')
    .where('deliveries.id', '=', it.delivery),
);

export async function sayerOf(db: Kysely<Schema>, delivery: string): Promise<string> {
  return lived((await SAYER.first(db, { delivery }))?.name ?? '');
}

/** An agent that was deleted carries its id behind its name. */
const lived = (name: string): string => name.split('~')[0] ?? name;

const SAID = compiled((db, it: { chat: string; after: number; limit: number }) =>
  db
    .selectFrom('deliveries')
    .innerJoin('agents', 'agents.id', 'deliveries.agent_id')
    .select(['deliveries.id', 'ordinal', 'thread', 'seq', 'content', 'may_be_duplicate', 'agents.name'])
    .where('channel', '=', 'http')
    .where('chat', '=', it.chat)
    .where('state', 'in', ['sending', 'delivered'])
    .where('ordinal', '>', it.after)
    .orderBy('ordinal')
    .limit(it.limit),
);
const ANSWERS = compiled((db, it: { delivery: string }) =>
  db.selectFrom('delivery_events').select('event_id').where('delivery_id', '=', it.delivery),
);

/** What is on its way counts as said: it will be, and whoever has it already knows it by its position. */
export async function saidIn(db: Kysely<Schema>, chat: string, after: number, limit: number): Promise<Said[]> {
  const said: Said[] = [];
  for (const row of await SAID.all(db, { chat, after, limit })) {
    const content = JSON.parse(row.content) as DeliveryContent;
    const [text, notice] = [textFor(content, false), content.type === 'notice'];
    const answers = (await ANSWERS.all(db, { delivery: row.id })).map((it) => it.event_id);
    const { id: delivery, ordinal: position, thread, seq } = row;
    const mayBeDuplicate = row.may_be_duplicate === 1;
    const from = lived(row.name);
    said.push({
      delivery,
      position,
      chat,
      thread,
      from,
      text,
      seq,
      notice,
      mayBeDuplicate,
      answers,
    });
  }
  return said;
}

const OF_CHAT = compiled((db, it: { session: string; chat: string }) =>
  db
    .selectFrom('sessions')
    .innerJoin('chats', 'chats.id', 'sessions.chat_id')
    .select('sessions.id')
    .where('sessions.id', '=', it.session)
    .where('chats.channel', '=', 'http')
    .where('chats.platform_id', '=', it.chat),
);

/** Whether this session is of this chat. */
export async function isOfChat(db: Kysely<Schema>, chat: string, session: string): Promise<boolean> {
  return (await OF_CHAT.first(db, { session, chat })) !== undefined;
}
