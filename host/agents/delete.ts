/** Ends an agent for good: in central in one transaction, then its runs, then its folders. Its history stays. */
import { audit } from '../authority/audit.ts';
import type { Tx } from '../db/central.ts';
import { errorText, type Log } from '../log.ts';
import { Refusal } from '../refusal.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { Signals } from '../signals.ts';
import type { AgentsDeps } from './agents.ts';
import { removeAgentFolder } from './folder.ts';

export type DeleteDeps = AgentsDeps & { sessions: Sessions; signals: Signals; log: Log };

type Buried = { agentId: string; sessions: { sessionId: string; agentId: string }[]; eventIds: string[] };

/** Resolves when nothing of it runs and its folders are gone; after a crash in between, the next start removes them. */
export async function deleteAgent(deps: DeleteDeps, name: string, actor: string): Promise<void> {
  const { agentId, sessions, eventIds } = await deps.central.commit('agent', (tx) => bury(deps, tx, name, actor));
  if (eventIds.length > 0) deps.signals.emit('settled', { eventIds });
  deps.signals.emit('deleted', { agentId });
  await deps.sessions.end(sessions);
  try {
    removeAgentFolder(deps.home, agentId);
  } catch (error) {
    deps.log.warn('agent folder not removed', { agent: agentId, error: errorText(error) });
  }
}

async function bury(deps: DeleteDeps, tx: Tx, name: string, actor: string): Promise<Buried> {
  const agent = await tx
    .selectFrom('agents')
    .select('id')
    .where('name', '=', name)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
  if (!agent) throw new Refusal('not-found', `no agent named ${name}`, 'See `./halfdoor agents list`.');
  const { id } = agent;
  const at = deps.now();
  const eventIds = await giveUp(tx, id, at);
  await disconnect(tx, id, name);
  const left = await tx
    .selectFrom('sessions')
    .select('id')
    .where('agent_id', '=', id)
    .where('removed_at', 'is', null)
    .execute();
  await tx
    .updateTable('sessions')
    .set({ ended_at: at })
    .where('agent_id', '=', id)
    .where('ended_at', 'is', null)
    .execute();
  await tx
    .updateTable('agents')
    .set({ name: formerName(name, id), deleted_at: at })
    .where('id', '=', id)
    .execute();
  await audit(tx, { id: deps.ids(), at, actor, action: 'delete_agent', target: name, agentId: id });
  return { agentId: id, sessions: left.map((row) => ({ sessionId: row.id, agentId: id })), eventIds };
}

/** No agent can be named so: the name is free again. */
const formerName = (name: string, id: string): string => `${name}~${id}`;

/** What waits for an answer has failed, what waits to be delivered never will be. */
async function giveUp(tx: Tx, agentId: string, at: string): Promise<string[]> {
  const over = { reason: 'agent-deleted', settled_at: at, due_at: null };
  await tx
    .updateTable('deliveries')
    .set({ state: 'dead', ...over })
    .where('agent_id', '=', agentId)
    .where('state', 'in', ['queued', 'sending'])
    .execute();
  const failed = await tx
    .updateTable('dispatches')
    .set({ state: 'failed', ...over })
    .where('session_id', 'in', (eb) => eb.selectFrom('sessions').select('id').where('agent_id', '=', agentId))
    .where('state', '=', 'open')
    .returning('event_id')
    .execute();
  return failed.map((row) => row.event_id);
}

/** Nothing leads to it any more. The next agent of this name has a chat of its own, in which nothing was said yet. */
async function disconnect(tx: Tx, agentId: string, name: string): Promise<void> {
  await tx.deleteFrom('wirings').where('agent_id', '=', agentId).execute();
  await tx.deleteFrom('egress_rules').where('agent_id', '=', agentId).execute();
  await tx
    .deleteFrom('agent_destinations')
    .where((eb) => eb.or([eb('agent_id', '=', agentId), eb('target_id', '=', agentId)]))
    .execute();
  const former = formerName(name, agentId);
  const chat = await tx
    .updateTable('chats')
    .set({ platform_id: former })
    .where('channel', '=', 'terminal')
    .where('platform_id', '=', name)
    .returning('id')
    .executeTakeFirst();
  if (!chat) return;
  await tx.deleteFrom('agent_destinations').where('target_id', '=', chat.id).execute();
  await tx.deleteFrom('wirings').where('chat_id', '=', chat.id).execute();
  await tx
    .updateTable('events')
    .set({ chat: former })
    .where('channel', '=', 'terminal')
    .where('chat', '=', name)
    .execute();
}
