/** What the http channel reads of central, for each message and each reader. */
import type { InboundFile } from '@halfdoor/protocol/file';
import type { Kysely } from 'kysely';
import type { OutgoingFile } from '../channels/channel.ts';
import { sentFiles, type Known, type Said } from '../channels/http/types.ts';
import { compiled } from '../db/compiled.ts';
import type { Schema } from '../db/schema.ts';
import { inboxPath } from '../files/inbox.ts';
import type { Home } from '../home.ts';
import type { DeliveryContent } from '../outbound/ledger.ts';

const KNOWN = compiled((db, it: { channel: string; chat: string; key: string }) =>
  db
    .selectFrom('events')
    .select(['kind', 'sender', 'thread', 'content'])
    .where('channel', '=', it.channel)
    .where('chat', '=', it.chat)
    .where('platform_id', '=', it.key),
);

/** Everything that came with this key: a message, a command, or both. */
export async function knownAs(
  db: Kysely<Schema>,
  home: Home,
  it: { channel: string; chat: string; key: string },
): Promise<Known[]> {
  const rows = await KNOWN.all(db, it);
  return rows.map(({ kind, sender, thread, content }) => {
    const { text, files = [] } = JSON.parse(content) as { text: string; files?: InboundFile[] };
    const kept = files.map(({ name, bytes, path }) => ({ name, bytes, path: inboxPath(home, path) }));
    return { sender, thread, text, files: kind === 'message' ? kept : null };
  });
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
    const [text, notice] = [content.text, content.type === 'notice'];
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
      files: sentFiles(chat, delivery, content.files),
    });
  }
  return said;
}

const SENT_WITH = compiled((db, it: { chat: string; delivery: string }) =>
  db
    .selectFrom('deliveries')
    .select('content')
    .where('id', '=', it.delivery)
    .where('channel', '=', 'http')
    .where('chat', '=', it.chat),
);

/** What a delivery of this chat brings. */
export async function filesOf(db: Kysely<Schema>, chat: string, delivery: string): Promise<readonly OutgoingFile[]> {
  const row = await SENT_WITH.first(db, { chat, delivery });
  return row ? ((JSON.parse(row.content) as DeliveryContent).files ?? []) : [];
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
