/** `halfdoor trace`: why did this message get no answer. Reads; changes nothing. */
import type { TraceView } from '../api/operator-contract.ts';
import type { Central } from '../db/central.ts';
import { Refusal } from '../refusal.ts';
import { eventsBeginning, factsOf } from './facts.ts';
import { hopsOf } from './hops.ts';
import { liveOf, type Live, type LiveDeps } from './live.ts';
import { standingOf } from './standing.ts';

export type TraceDeps = LiveDeps & { central: Central };

/** `id` may be the beginning of one. Throws `Refusal` when it is nobody's or several messages'. */
export async function trace(deps: TraceDeps, id: string): Promise<TraceView> {
  const facts = await factsOf(deps.central.read, await findEvent(deps, id));
  if (!facts) throw unknown(id);
  const live = new Map<string, Live>();
  for (const it of facts.dispatches) live.set(it.id, await liveOf(deps, it));
  const { event } = facts;
  return {
    id: event.id,
    acceptedAt: event.receivedAt,
    hops: hopsOf(facts, live),
    now: standingOf({ facts, live, mayTake: (address) => deps.mayTake(address) }),
  };
}

async function findEvent({ central }: TraceDeps, id: string): Promise<string> {
  const [only, other] = /^[0-9a-f-]{4,36}$/.test(id) ? await eventsBeginning(central.read, id) : [];
  if (only === undefined) throw unknown(id);
  if (other === undefined) return only;
  throw new Refusal('bad-input', `several messages begin with ${id}`, 'Give more of the id.');
}

const unknown = (id: string): Refusal =>
  new Refusal(
    'not-found',
    `no message ${id}`,
    'Take the id that sending answered with; what is over is kept for 30 days.',
  );
