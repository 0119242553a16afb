/** What an owner decides about a dead letter, for the record; and the decision that needs no more than that. */
import type { DeadView } from '../api/operator-contract.ts';
import { audit } from '../authority/audit.ts';
import type { Central, Tx } from '../db/central.ts';
import type { Ids } from '../ids.ts';
import { Refusal } from '../refusal.ts';

export type DecisionDeps = { central: Central; ids: Ids; now(): string };

export async function noteDecision(
  deps: Pick<DecisionDeps, 'ids' | 'now'>,
  tx: Tx,
  letter: DeadView,
  actor: string,
  action: 'replay' | 'drop',
): Promise<void> {
  const { id, sessionId, kind } = letter;
  const deed = { id: deps.ids(), at: deps.now(), actor, action, target: `${kind} ${id}` };
  await audit(tx, { ...deed, ...(sessionId !== null && { sessionId }) });
}

/** Ends a dead letter for good; it stays in the trace until its time is over. Throws `Refusal` when somebody was quicker. */
export function drop(deps: DecisionDeps, letter: DeadView, actor: string): Promise<void> {
  return deps.central.commit('dead-letter', async (tx) => {
    const end = { closed: 'dropped' as const, closed_at: deps.now() };
    const { id } = letter;
    const { numUpdatedRows } = await (letter.kind === 'message'
      ? tx.updateTable('dispatches').set(end).where('id', '=', id).where('closed', 'is', null).executeTakeFirst()
      : tx
          .updateTable('deliveries')
          .set(end)
          .where('id', '=', id)
          .where('state', '=', 'dead')
          .where('closed', 'is', null)
          .executeTakeFirst());
    if (numUpdatedRows === 0n) {
      const next = 'See `halfdoor dead list`.';
      throw new Refusal('not-found', `dead letter ${id} was taken up or dropped meanwhile`, next);
    }
    await noteDecision(deps, tx, letter, actor, 'drop');
  });
}
