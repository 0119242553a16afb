/** The record of what was decided about authority. Written with what it is about, in the same transaction. */
import type { Tx } from '../db/central.ts';
import type { Ids } from '../ids.ts';

export type AuditEntry = {
  /** `local:<uid>`, `agent:<id>`. */
  actor: string;
  action: string;
  target: string;
  verdict: 'allow' | 'hold' | 'deny';
  reason: string;
  sessionId: string | null;
  agentId: string | null;
};

export async function record(tx: Tx, deps: { ids: Ids; now(): string }, entry: AuditEntry): Promise<void> {
  const { sessionId: session_id, agentId: agent_id, ...rest } = entry;
  await tx
    .insertInto('audit')
    .values({ id: deps.ids(), at: deps.now(), session_id, agent_id, ...rest })
    .execute();
}
