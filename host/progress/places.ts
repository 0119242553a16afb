/** Where people wait for what a session is doing. */
import type { Kysely } from 'kysely';
import type { Address } from '@halfdoor/protocol/message';
import { compiled } from '../db/compiled.ts';
import type { ProgressStyle, Schema } from '../db/schema.ts';

export type Place = { address: Address; kind: 'dm' | 'group'; progress: ProgressStyle | null };

const WAITING = compiled((db, it: { sessionId: string }) =>
  db
    .selectFrom('dispatches')
    .innerJoin('events', 'events.id', 'dispatches.event_id')
    .innerJoin('chats', (join) =>
      join.onRef('chats.channel', '=', 'events.channel').onRef('chats.platform_id', '=', 'events.chat'),
    )
    .innerJoin('wirings', (join) =>
      join.onRef('wirings.chat_id', '=', 'chats.id').onRef('wirings.agent_id', '=', 'dispatches.agent_id'),
    )
    .select(['events.channel', 'events.chat', 'events.thread', 'chats.kind', 'wirings.progress'])
    .distinct()
    .where('dispatches.session_id', '=', it.sessionId)
    .where('dispatches.state', '=', 'open')
    .where('dispatches.wakes', '=', 1)
    .where('dispatches.kind', '=', 'chat')
    .where('events.channel', '!=', 'terminal'),
);

/** The terminal is not among them: it shows all of it itself. */
export async function waitingPlaces(db: Kysely<Schema>, sessionId: string): Promise<Place[]> {
  const rows = await WAITING.all(db, { sessionId });
  return rows.map(({ channel, chat, thread, ...it }) => ({ ...it, address: { channel, chat, thread } }));
}
