/** Every row an agent wrote is checked against the host's own rows, each time; the runner's checks count for nothing. */
import type { Kysely } from 'kysely';
import type { Address, OutboundMessage } from '@halfdoor/protocol/message';
import { guard } from '../authority/guard.ts';
import type { Tx } from '../db/central.ts';
import { compiled } from '../db/compiled.ts';
import type { Schema } from '../db/schema.ts';

export type Authorized =
  | { allowed: true; address: Address; destination: string }
  | { allowed: true; address: null }
  | { allowed: false; action: string; target: string; reason: string };

const CHAT_BEHIND = compiled((db, it: { agentId: string; localName: string }) =>
  db
    .selectFrom('agent_destinations')
    .innerJoin('chats', 'chats.id', 'agent_destinations.target_id')
    .select(['chats.channel as channel', 'chats.platform_id as chat'])
    .where('agent_destinations.agent_id', '=', it.agentId)
    .where('agent_destinations.local_name', '=', it.localName)
    .where('agent_destinations.target_type', '=', 'chat'),
);

export async function authorize(tx: Tx, agentId: string, row: OutboundMessage): Promise<Authorized | null> {
  switch (row.kind) {
    case 'scratch':
      return null;
    case 'action': {
      const { verdict, reason } = guard(row.action, { type: 'none' });
      if (verdict === 'allow') return { allowed: true, address: null };
      return { allowed: false, action: row.action, target: '', reason };
    }
    case 'message': {
      const chat = await chatBehind(tx, agentId, row.destination);
      const { verdict, reason } = guard('send_message', {
        type: 'destination',
        exists: chat !== null,
        name: row.destination,
      });
      if (verdict !== 'allow' || chat === null) {
        return { allowed: false, action: 'send_message', target: row.destination, reason };
      }
      return { allowed: true, destination: row.destination, address: { ...chat, thread: row.thread } };
    }
  }
}

/** The chat that an agent's own name for it stands for; null when it was given none. */
export async function chatBehind(
  db: Kysely<Schema>,
  agentId: string,
  localName: string,
): Promise<{ channel: string; chat: string } | null> {
  return (await CHAT_BEHIND.first(db, { agentId, localName })) ?? null;
}
