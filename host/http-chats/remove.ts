/** Takes a chat from its program for good: its token opens nothing, and a chat of that name made later has no history. */
import type { HttpChatView } from '../api/channel-contract.ts';
import { audit } from '../authority/audit.ts';
import type { Central, Tx } from '../db/central.ts';
import type { Ids } from '../ids.ts';
import { Refusal } from '../refusal.ts';
import type { Secrets } from '../secrets/secrets.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { Signals } from '../signals.ts';
import { HTTP, signingSecret, type HttpChats } from './chats.ts';

export type RemoveChatDeps = {
  central: Central;
  ids: Ids;
  now(): string;
  secrets: Secrets;
  sessions: Sessions;
  signals: Signals;
  httpChats: HttpChats;
  renew(agentId: string): void;
};
type Ended = { sessions: { sessionId: string; agentId: string }[]; eventIds: string[]; agents: string[] };

/** Throws `Refusal` when there is none of this name. */
export async function removeHttpChat(deps: RemoveChatDeps, name: string, actor: string): Promise<void> {
  const { sessions, eventIds, agents } = await deps.central.commit('channel', (tx) => bury(deps, tx, name, actor));
  deps.httpChats.changed(name, null);
  const signing = signingSecret(name);
  if ((await deps.secrets.list()).some((it) => it.name === signing && it.from === 'kept')) {
    await deps.secrets.remove(signing, actor);
  }
  if (eventIds.length > 0) deps.signals.emit('settled', { eventIds });
  for (const agent of agents) deps.renew(agent);
  await deps.sessions.end(sessions);
}

async function bury(deps: RemoveChatDeps, tx: Tx, name: string, actor: string): Promise<Ended> {
  const at = deps.now();
  const chat = await tx
    .selectFrom('http_chats')
    .innerJoin('chats', 'chats.id', 'http_chats.chat_id')
    .select('chats.id')
    .where('channel', '=', HTTP)
    .where('platform_id', '=', name)
    .executeTakeFirst();
  if (!chat) throw new Refusal('not-found', `no http chat ${name}`, 'See `./halfdoor channels list`.');
  const { id } = chat;
  await tx.deleteFrom('http_chats').where('chat_id', '=', id).execute();
  await tx.deleteFrom('wirings').where('chat_id', '=', id).execute();
  const named = await tx
    .deleteFrom('agent_destinations')
    .where('target_type', '=', 'chat')
    .where('target_id', '=', id)
    .returning('agent_id')
    .execute();
  const ended = await endSessions(tx, id, at);
  await setAside(tx, id, name, at);
  await audit(tx, { id: deps.ids(), at, actor, action: 'remove_chat', target: `${HTTP}:${name}` });
  return { ...ended, agents: named.map((it) => it.agent_id) };
}

async function endSessions(tx: Tx, chatId: string, at: string): Promise<Omit<Ended, 'agents'>> {
  const ended = await tx
    .updateTable('sessions')
    .set({ ended_at: at })
    .where('chat_id', '=', chatId)
    .where('ended_at', 'is', null)
    .returning(['id as sessionId', 'agent_id as agentId'])
    .execute();
  // What failed there before cannot be answered there any more.
  await tx
    .updateTable('dispatches')
    .set({ closed: 'dropped', closed_at: at })
    .where('session_id', 'in', (eb) => eb.selectFrom('sessions').select('id').where('chat_id', '=', chatId))
    .where('state', 'in', ['failed', 'dead'])
    .where('closed', 'is', null)
    .execute();
  const ids = ended.map((it) => it.sessionId);
  if (ids.length === 0) return { sessions: [], eventIds: [] };
  const failed = await tx
    .updateTable('dispatches')
    .set({ state: 'failed', reason: 'chat-removed', settled_at: at, due_at: null })
    .where('session_id', 'in', ids)
    .where('state', '=', 'open')
    .returning('event_id')
    .execute();
  return { sessions: ended, eventIds: failed.map((it) => it.event_id) };
}

/** No chat can be named so. What still waits for its program never reaches it, and is no dead letter. */
async function setAside(tx: Tx, chatId: string, name: string, at: string): Promise<void> {
  const former = `${name}~${chatId}`;
  await tx
    .updateTable('deliveries')
    .set({ state: 'dead', reason: 'chat-removed', settled_at: at, due_at: null })
    .where('channel', '=', HTTP)
    .where('chat', '=', name)
    .where('state', 'in', ['queued', 'sending'])
    .execute();
  await tx
    .updateTable('deliveries')
    .set({ chat: former, closed: 'dropped', closed_at: at })
    .where('channel', '=', HTTP)
    .where('chat', '=', name)
    .where('state', '=', 'dead')
    .where('closed', 'is', null)
    .execute();
  await tx
    .updateTable('deliveries')
    .set({ chat: former })
    .where('channel', '=', HTTP)
    .where('chat', '=', name)
    .execute();
  await tx.updateTable('events').set({ chat: former }).where('channel', '=', HTTP).where('chat', '=', name).execute();
  await tx.updateTable('chats').set({ platform_id: former }).where('id', '=', chatId).execute();
}

/** By name. */
export async function listHttpChats({ central }: Pick<RemoveChatDeps, 'central'>): Promise<HttpChatView[]> {
  const rows = await central.read
    .selectFrom('http_chats')
    .innerJoin('chats', 'chats.id', 'http_chats.chat_id')
    .leftJoin('wirings', 'wirings.chat_id', 'chats.id')
    .leftJoin('agents', 'agents.id', 'wirings.agent_id')
    .select(['platform_id as name', 'agents.name as agent', 'callback', 'http_chats.created_at as createdAt'])
    .orderBy('platform_id')
    .execute();
  return rows;
}
