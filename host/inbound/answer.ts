/** What must not reach an agent as chat: pairing codes, and whatever a stranger says. */
import type { Address, Role } from '@halfdoor/protocol/message';
import { codeIn } from '../authority/pairing-code.ts';
import { pair } from '../authority/pairing.ts';
import { noteStranger } from '../authority/strangers.ts';
import type { Incoming } from '../channels/channel-host.ts';
import type { Central } from '../db/central.ts';
import type { Ids } from '../ids.ts';
import { takeHeads } from '../outbound/ledger.ts';
import { Refusal } from '../refusal.ts';
import type { Accepted } from './accept.ts';
import type { Aftermath } from './dispatch.ts';

/** What both accept and this have. */
export type AnswerDeps = {
  central: Central;
  ids: Ids;
  now(): string;
  mayTake(address: Address): boolean;
  after(aftermath: Aftermath): void;
  /** Its runs begin anew once their work is settled: what they may reach has changed. */
  renew(agentId: string): void;
};

/**
 * Null when accept goes on with it. A code that is not, or not any more, what it says is a stranger's word like any other.
 * Throws `Refusal` for a stranger, once they are counted.
 */
export async function answer(deps: AnswerDeps, incoming: Incoming, role: Role): Promise<Accepted | null> {
  const code = incoming.direct === true ? codeIn(incoming.text) : null;
  if (code !== null) {
    const accepted = await redeem(deps, incoming, code, role === 'none');
    if (accepted) return accepted;
  }
  if (role !== 'none') return null;
  const reason = code === null ? 'unknown' : 'wrong code';
  await deps.central.commit('channel', (tx) => noteStranger(tx, incoming, reason, deps.now()));
  throw new Refusal('forbidden', 'the sender is not known here', 'Ask an owner of this install.');
}

/** The event keeps no code, and comes again as the same message: the code is used up by then. */
async function redeem(deps: AnswerDeps, incoming: Incoming, code: string, counted: boolean): Promise<Accepted | null> {
  const eventId = deps.ids();
  const paired = await deps.central.commit('channel', async (tx) => {
    const agentId = await pair(deps, tx, { incoming, code, eventId, counted });
    return agentId === null ? null : { agentId, heads: await takeHeads(deps, tx, [incoming.address]) };
  });
  if (paired === null) return null;
  const { agentId, heads } = paired;
  deps.renew(agentId);
  deps.after({ enqueue: [], heads, ended: [], settledEvents: [eventId] });
  return { eventId, repeated: false };
}
