/** What was allowed or refused to whom, kept for whoever asks later. Names only: never a value, never a text. */
import type { Tx } from '../db/central.ts';

export type Deed = {
  id: string;
  at: string;
  actor: string;
  action: string;
  target: string;
  agentId?: string;
  sessionId?: string;
};

/** Something an owner did, in the transaction that does it. */
export async function audit(tx: Tx, { agentId, sessionId, ...deed }: Deed): Promise<void> {
  const allowed = {
    session_id: sessionId ?? null,
    agent_id: agentId ?? null,
    verdict: 'allow',
    reason: 'an owner asked',
  } as const;
  await tx
    .insertInto('audit')
    .values({ ...deed, ...allowed })
    .execute();
}
