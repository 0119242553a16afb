/**
 * The one decision about what may be done. A missing rule denies; there is no second path around this table.
 */
import { isActionName, type ActionName } from '@halfdoor/protocol/action';

export type Verdict = { verdict: 'allow' | 'hold' | 'deny'; reason: string };

/** What the decision is about, resolved by the host from its own rows, never from what the agent claims. */
export type Target = { type: 'destination'; exists: boolean; name: string } | { type: 'none' };

type Rule = (target: Target) => Verdict;

const RULES: Record<ActionName, Rule> = {
  send_message: (target) => {
    if (target.type !== 'destination') return { verdict: 'deny', reason: 'a message needs a destination' };
    if (!target.exists) return { verdict: 'deny', reason: `no destination named ${JSON.stringify(target.name)}` };
    return { verdict: 'allow', reason: 'destination granted' };
  },
  park: () => ({ verdict: 'allow', reason: 'only its own messages wait, and not for ever' }),
};

export function guard(action: string, target: Target): Verdict {
  if (!isActionName(action))
    return { verdict: 'deny', reason: `no action named ${JSON.stringify(action.slice(0, 80))}` };
  return RULES[action](target);
}
