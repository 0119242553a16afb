/** A run that did not start is written down; where what holds agents is away, whoever waits hears of it and goes on waiting. */
import { tellOpen } from '../outbound/tell-open.ts';
import type { CollectedFrom } from '../outbound/settle.ts';
import type { Ending } from './after-run.ts';
import type { ActorDeps } from './deps.ts';

/** Returns `end`. */
export async function tellNotStarted(deps: ActorDeps, from: CollectedFrom, end: Ending): Promise<Ending> {
  const { ending, away } = end;
  deps.log.error('run did not start', { session: from.sessionId, error: ending });
  if (!away) return end;
  const text = `Your message waits: no sandbox can be started now: ${ending}. It is tried again by itself.`;
  await tellOpen(deps, from, 'away', deps.redact(text));
  return end;
}
