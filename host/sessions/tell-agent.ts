/** What the host tells an agent in its session: an event of the host's own, as context that starts no turn. */
import type { NewInbound } from '@halfdoor/protocol/message';
import type { Central } from '../db/central.ts';
import type { Ids } from '../ids.ts';
import { projected } from '../inbound/enqueue.ts';

export type Told = { text: string } & ({ /** Of the row that was refused. */ seq: number } | { key: string });

/** A refused row is told once, and so is what has a key of its own. Returns what is to be projected. */
export function tellAgent(
  deps: { central: Central; ids: Ids; now(): string },
  sessionId: string,
  agentId: string,
  told: Told[],
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
    for (const it of told) {
      const key = 'key' in it ? it.key : `refused:${it.seq}`;
      const receivedAt = deps.now();
      const content = JSON.stringify({ text: it.text });
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
