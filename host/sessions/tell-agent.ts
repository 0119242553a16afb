/** What the host tells an agent in its session: an event of the host's own, as context that starts no turn. */
import type { NewInbound } from '@halfdoor/protocol/message';
import type { Central } from '../db/central.ts';
import type { Ids } from '../ids.ts';
import { projected } from '../inbound/enqueue.ts';

/** A refused row is told once. Returns what is to be projected. */
export function tellAgent(
  deps: { central: Central; ids: Ids; now(): string },
  sessionId: string,
  agentId: string,
  refused: { seq: number; text: string }[],
): Promise<NewInbound[]> {
  return deps.central.commit('accept', async (tx) => {
    const messages: NewInbound[] = [];
    const live = await tx
      .selectFrom('sessions')
      .select('id')
      .where('id', '=', sessionId)
      .where('ended_at', 'is', null)
      .executeTakeFirst();
    if (!live) return messages;
    for (const { seq, text } of refused) {
      const key = `refused:${seq}`;
      const receivedAt = deps.now();
      const content = JSON.stringify({ text });
      const event = { id: deps.ids(), channel: 'host', chat: sessionId, platform_id: key, kind: 'notice' as const };
      const { numInsertedOrUpdatedRows } = await tx
        .insertInto('events')
        .values({ ...event, version: 0, content, received_at: receivedAt })
        .onConflict((conflict) => conflict.columns(['channel', 'chat', 'platform_id', 'kind', 'version']).doNothing())
        .executeTakeFirstOrThrow();
      if (numInsertedOrUpdatedRows === 0n) continue;
      const id = deps.ids();
      await tx
        .insertInto('dispatches')
        .values({
          id,
          event_id: event.id,
          agent_id: agentId,
          session_id: sessionId,
          kind: 'notice',
          wakes: 0,
          state: 'open',
          tries: 0,
        })
        .execute();
      const address = { channel: 'host', chat: sessionId, thread: null };
      messages.push(
        projected({ id, kind: 'notice', wakes: false, address, sender: null, role: null, content, receivedAt }),
      );
    }
    return messages;
  });
}
