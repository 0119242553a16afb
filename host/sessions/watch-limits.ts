/** The watchdog over this host's sessions: who goes over a limit is ended, and its agent told in its next run. */
import type { Clock } from '../clock.ts';
import type { Central } from '../db/central.ts';
import type { Home } from '../home.ts';
import type { Ids } from '../ids.ts';
import { errorText, type Log } from '../log.ts';
import type { Signals } from '../signals.ts';
import { excessText } from './excess.ts';
import type { Sessions } from './sessions.ts';
import { tellOne } from './tell-agent.ts';
import { Watchdog } from './watchdog.ts';

type Deps = {
  central: Central;
  home: Home;
  ids: Ids;
  now(): string;
  clock: Clock;
  log: Log;
  signals: Signals;
  sessions: Sessions;
};

export function watchLimits(deps: Deps): Watchdog {
  const { sessions, log } = deps;
  return new Watchdog({
    ...deps,
    awake: () => sessions.awake(),
    end: ({ sessionId, agentId }, excess) => {
      sessions.exceeded(sessionId, excess);
      const told = { sessionId, agentId, key: `${excess}:${deps.ids()}`, text: excessText(excess) };
      deps.central
        .commit('accept', (tx) => tellOne(deps, tx, told))
        .then((message) => message && sessions.enqueue([{ sessionId, agentId, message }]))
        .catch((error: unknown) => log.warn('agent not told', { session: sessionId, error: errorText(error) }));
    },
  });
}
