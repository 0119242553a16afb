/** What the host tells an agent in its session: an event of the host's own, as context that starts no turn. */
import type { NewInbound } from '@halfdoor/protocol/message';
import type { Central, Tx } from '../db/central.ts';
import type { Ids } from '../ids.ts';
import { projected } from '../inbound/enqueue.ts';

type TellDeps = { ids: Ids; now(): string };
/** The same key is told once in a session. */
export type Told = { sessionId: string; agentId: string; key: string; text: string };

/** A refused row is told once. Returns what is to be projected. */
export function tellAgent(
  deps: TellDeps & { central: Central },
  sessionId: string,
  agentId: string,
  refused: { seq: number; text: string }[],
): Promise<NewInbound[]> {
  return deps.central.commit('accept', async (tx) => {
    const messages: NewInbound[] = [];
    for (const { seq, text } of refused) {
      const message = await tellOne(deps, tx, { sessionId, agentId, key: `refused:${seq}`, text });
      if (message) messages.push(message);
    }
    return messages;
  });
}

/** Returns what is to be projected; null when it was told before, or when the session has ended. */
export async function tellOne(deps: TellDeps, tx: Tx, it: Told): Promise<NewInbound | null> {
  const { sessionId, agentId, key, text } = it;
  const live = await tx
    .selectFrom('sessions')
    .select('id')
    .where('id', '=', sessionId)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  if (!live) return null;
  const receivedAt = deps.now();
  const content = JSON.stringify({ text });
  const event = { id: deps.ids(), channel: 'host', chat: sessionId, platform_id: key, kind: 'notice' as const };
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('events')
    .values({ ...event, version: 0, content, received_at: receivedAt })
    .onConflict((conflict) => conflict.columns(['channel', 'chat', 'platform_id', 'kind', 'version']).doNothing())
    .executeTakeFirstOrThrow();
  if (numInsertedOrUpdatedRows === 0n) return null;
  const id = deps.ids();
  const frozen = { id, event_id: event.id, agent_id: agentId, session_id: sessionId, kind: 'notice' as const };
  await tx
    .insertInto('dispatches')
    .values({ ...frozen, wakes: 0, state: 'open', tries: 0 })
    .execute();
  const address = { channel: 'host', chat: sessionId, thread: null };
  return projected({ id, kind: 'notice', wakes: false, address, sender: null, role: null, content, receivedAt });
}
