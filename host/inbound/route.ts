/** Which agents a chat is wired to, and the live session of each. */
import type { Kysely } from 'kysely';
import type { Address } from '@halfdoor/protocol/message';
import { compiled } from '../db/compiled.ts';
import type { Schema } from '../db/schema.ts';

export type Routed = {
  chatId: string;
  agentId: string;
  agent: string;
  engage: 'always';
  /** What makes a conversation: one per chat. */
  key: string;
  sessionId: string | null;
};

const ROUTED = compiled((db, it: { channel: string; chat: string }) =>
  db
    .selectFrom('chats')
    .innerJoin('wirings', 'wirings.chat_id', 'chats.id')
    .innerJoin('agents', 'agents.id', 'wirings.agent_id')
    .leftJoin('sessions', (join) =>
      join
        .onRef('sessions.agent_id', '=', 'agents.id')
        .on('sessions.ended_at', 'is', null)
        .on((eb) => eb('sessions.key', '=', eb.fn<string>('concat', [eb.val('chat:'), eb.ref('chats.id')]))),
    )
    .select(['chats.id as chatId', 'agents.id as agentId', 'agents.name as agent', 'wirings.engage'])
    .select('sessions.id as sessionId')
    .where('chats.channel', '=', it.channel)
    .where('chats.platform_id', '=', it.chat)
    .orderBy('agents.id'),
);

/** One row per wired agent; empty when nobody is wired to this chat. */
export async function route(db: Kysely<Schema>, { channel, chat }: Address): Promise<Routed[]> {
  const rows = await ROUTED.all(db, { channel, chat });
  return rows.map((row) => ({ ...row, key: sessionKey(row.chatId) }));
}

/** Session mode `chat`: everybody in one chat shares one conversation. */
export const sessionKey = (chatId: string): string => `chat:${chatId}`;
