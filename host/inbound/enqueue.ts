/** Open dispatches of a session → the rows its runner reads. A projection: made again from central as often as needed. */
import type { Kysely } from 'kysely';
import type { Address, Destination, InboundFile, NewInbound, Receipt, Role } from '@halfdoor/protocol/message';
import type { Schema } from '../db/schema.ts';

export type DispatchRow = {
  id: string;
  kind: 'chat' | 'control' | 'notice';
  wakes: boolean;
  address: Address;
  sender: string | null;
  role: Role | null;
  content: string;
  receivedAt: string;
};

/** One dispatch as it is written into messages_in. */
export function projected(row: DispatchRow): NewInbound {
  const common = {
    id: row.id,
    timestamp: row.receivedAt,
    wakes: row.wakes,
    address: row.address.channel === 'host' ? null : row.address,
    sender: row.sender,
    role: row.role,
  };
  const { text, files = [] } = JSON.parse(row.content) as { text: string; files?: InboundFile[] };
  if (row.kind === 'control') return { ...common, kind: 'control', control: { verb: 'stop' } };
  return { ...common, kind: row.kind, text, files };
}

/** All open dispatches of a session, oldest first. */
export async function openDispatches(db: Kysely<Schema>, sessionId: string): Promise<NewInbound[]> {
  const rows = await db
    .selectFrom('dispatches')
    .innerJoin('events', 'events.id', 'dispatches.event_id')
    .select(['dispatches.id', 'dispatches.kind', 'dispatches.wakes', 'events.channel', 'events.chat', 'events.thread'])
    .select(['events.sender', 'events.role', 'events.content', 'events.received_at'])
    .where('dispatches.session_id', '=', sessionId)
    .where('dispatches.state', '=', 'open')
    .orderBy('dispatches.id')
    .execute();
  return rows.map((row) =>
    projected({
      id: row.id,
      kind: row.kind,
      wakes: row.wakes === 1,
      address: { channel: row.channel, chat: row.chat, thread: row.thread },
      sender: row.sender,
      role: row.role,
      content: row.content,
      receivedAt: row.received_at,
    }),
  );
}

/** The agent's destinations as they stand now. */
export async function destinationsOf(db: Kysely<Schema>, agentId: string): Promise<Destination[]> {
  const rows = await db
    .selectFrom('agent_destinations')
    .leftJoin('chats', 'chats.id', 'agent_destinations.target_id')
    .select(['local_name', 'target_type', 'target_id', 'chats.channel', 'chats.platform_id'])
    .where('agent_id', '=', agentId)
    .orderBy('local_name')
    .execute();
  return rows.map((row) => ({
    localName: row.local_name,
    targetType: row.target_type,
    address:
      row.target_type === 'agent'
        ? { channel: 'peer', chat: row.target_id, thread: null }
        : { channel: row.channel ?? '', chat: row.platform_id ?? '', thread: null },
  }));
}

/** Latest receipts of a session, for a file that is made again. */
export async function recentReceipts(db: Kysely<Schema>, sessionId: string, limit: number): Promise<Receipt[]> {
  const rows = await db
    .selectFrom('deliveries')
    .select(['seq', 'state', 'platform_id', 'reason', 'settled_at'])
    .where('session_id', '=', sessionId)
    .where('seq', 'is not', null)
    .where('state', 'in', ['delivered', 'dead'])
    .orderBy('seq', 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    seq: row.seq ?? 0,
    status: row.state === 'delivered' ? 'delivered' : 'failed',
    platformId: row.platform_id,
    reason: row.reason,
    timestamp: row.settled_at ?? '',
  }));
}
