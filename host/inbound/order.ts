/**
 * A command that an owner gives to one session from outside its chat. It is accepted like one from the chat, so it holds
 * after a crash, and the people of the chat are told what became of their messages.
 */
import type { Central, Tx } from '../db/central.ts';
import { takeHeads } from '../outbound/ledger.ts';
import { Refusal } from '../refusal.ts';
import type { AcceptDeps } from './accept.ts';
import type { Aftermath, Arrival } from './dispatch.ts';
import { obey } from './obey.ts';
import type { Routed } from './route.ts';

export type Ordered = {
  sessionId: string;
  /** Unanswered messages of people when the order was taken. */
  open: number;
  /** The event that carries it out; null when there was nothing to do. */
  eventId: string | null;
};

/** Throws `Refusal` when there is no such session, or when it has ended. `/stop` with nothing open does nothing. */
export async function order(
  deps: AcceptDeps,
  sessionId: string,
  command: '/stop' | '/new',
  sender: string,
): Promise<Ordered> {
  const to = await targetOf(deps.central, sessionId);
  const { address, ...routed } = to;
  const eventId = deps.ids();
  const incoming = { address, platformId: `order:${eventId}`, sender, text: command };
  const arrival: Arrival = { incoming, role: 'owner', eventId, at: deps.now(), status: '', files: [] };
  const aftermath: Aftermath = { enqueue: [], heads: [], ended: [], settledEvents: [] };
  const ordered = await deps.central.commit('accept', async (tx): Promise<Ordered> => {
    const open = await countOpen(tx, sessionId);
    if (command === '/stop' && open === 0) return { sessionId, open, eventId: null };
    await insertOrder(tx, arrival);
    await obey(deps, tx, arrival, command, routed, aftermath);
    aftermath.heads = await takeHeads(deps, tx, [address]);
    return { sessionId, open, eventId };
  });
  deps.after(aftermath);
  return ordered;
}

async function targetOf(central: Central, sessionId: string) {
  const row = await central.read
    .selectFrom('sessions')
    .innerJoin('chats', 'chats.id', 'sessions.chat_id')
    .innerJoin('agents', 'agents.id', 'sessions.agent_id')
    .select(['sessions.key', 'chat_id', 'agent_id', 'agents.name', 'chats.channel', 'chats.platform_id', 'ended_at'])
    .where('sessions.id', '=', sessionId)
    .executeTakeFirst();
  if (!row) throw new Refusal('not-found', `no session ${sessionId}`, 'See `./halfdoor sessions list`.');
  if (row.ended_at !== null) {
    const said = `session ${sessionId} ended at ${row.ended_at}`;
    throw new Refusal('bad-input', said, 'See `./halfdoor sessions list` for the one that goes on.');
  }
  const routed: Routed & { sessionId: string } = {
    chatId: row.chat_id,
    agentId: row.agent_id,
    agent: row.name,
    engage: 'always',
    key: row.key,
    sessionId,
  };
  return { ...routed, address: { channel: row.channel, chat: row.platform_id, thread: null } };
}

async function countOpen(tx: Tx, sessionId: string): Promise<number> {
  const { n } = await tx
    .selectFrom('dispatches')
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .where('session_id', '=', sessionId)
    .where('state', '=', 'open')
    .where('wakes', '=', 1)
    .where('kind', '=', 'chat')
    .executeTakeFirstOrThrow();
  return n;
}

async function insertOrder(tx: Tx, { incoming, eventId, role, at }: Arrival): Promise<void> {
  const { address, platformId, sender, text } = incoming;
  await tx
    .insertInto('events')
    .values({
      id: eventId,
      ...address,
      platform_id: platformId,
      kind: 'command',
      version: 0,
      sender,
      role,
      content: JSON.stringify({ text }),
      received_at: at,
    })
    .execute();
}
