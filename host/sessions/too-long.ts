/** Who waits for hours is asked whether to go on; meanwhile it goes on. */
import { tellOpen } from '../outbound/tell-open.ts';
import type { CollectedFrom } from '../outbound/settle.ts';
import { errorText } from '../log.ts';
import type { ActorDeps } from './deps.ts';

const TEXT = 'The agent has been at work on this for four hours. Go on or stop? It goes on by itself; /stop ends it.';

/** Never rejects. */
export async function tellLong(deps: ActorDeps, from: CollectedFrom): Promise<void> {
  try {
    await tellOpen(deps, from, 'too-long', TEXT);
  } catch (error) {
    deps.log.error('who waits was not asked whether to go on', { session: from.sessionId, error: errorText(error) });
  }
}
