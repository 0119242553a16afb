/**
 * A run that does nothing but take back what a dead run left half written. Where none can be started nobody knows what
 * the dead one had done: nothing is decided until one does, and whoever waits is told.
 */
import { mkdirSync } from 'node:fs';
import { LIMITS } from '@halfdoor/protocol/limits';
import { socketFolder } from '../home.ts';
import { errorText } from '../log.ts';
import { tellOpen } from '../outbound/tell-open.ts';
import type { CollectedFrom } from '../outbound/settle.ts';
import type { ActorDeps } from './deps.ts';
import type { Trouble } from './watch.ts';
import { numberRun, specOf, type Due } from './wake.ts';

/** `in-vain`: it had to be killed, as a file can hold a trigger that never ends. */
type Recovery = { is: 'done' | 'in-vain' } | { is: 'not-started'; why: string };

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 60_000;
const LOCKED_TEXT =
  'Your message waits: something outside Halfdoor holds the session file outbound.db locked, so that what the agent wrote ' +
  'cannot be read. It goes on once that lets go; a backup or a database viewer does such a thing.';
/** Past this many starts that failed people are told. */
const QUIET_TRIES = 3;

/** What a last look does about a file it cannot read. `isOver`: nobody waits for this session any more. */
export function troubleOf(deps: ActorDeps, from: CollectedFrom, it: Due | null, isOver: () => boolean): Trouble {
  let told = false;
  return {
    recover: () => takeBack(deps, from, it, isOver),
    locked: async () => {
      if (!told) await tellOpen(deps, from, 'locked', LOCKED_TEXT);
      told = true;
      return !isOver();
    },
  };
}

/** Resolves when it is gone; false when it was in vain. `isOver` ends the waiting for one that cannot start. */
async function takeBack(deps: ActorDeps, from: CollectedFrom, it: Due | null, isOver: () => boolean): Promise<boolean> {
  if (it === null) return true;
  for (let n = 1; !isOver(); n++) {
    const recovery = await recoverOnce(deps, from.sessionId, it);
    if (recovery.is !== 'not-started') return recovery.is === 'done';
    if (n === QUIET_TRIES) await tellWaiting(deps, from, recovery.why);
    const waitMs = Math.min(FIRST_WAIT_MS * 2 ** (n - 1), LONGEST_WAIT_MS);
    await new Promise<void>((resolve) => deps.clock.after(waitMs, resolve));
  }
  return true;
}

async function recoverOnce(deps: ActorDeps, sessionId: string, it: Due): Promise<Recovery> {
  const run = await numberRun(deps, sessionId);
  const recovery = await recoverRun(deps, sessionId, it, run);
  const ending = `recovery, ${recovery.is}`;
  await deps.central.commit('settle-dead', (tx) =>
    tx
      .updateTable('runs')
      .set({ ended_at: deps.now(), ending })
      .where('session_id', '=', sessionId)
      .where('run', '=', run)
      .execute(),
  );
  return recovery;
}

async function recoverRun(deps: ActorDeps, sessionId: string, it: Due, run: number): Promise<Recovery> {
  mkdirSync(socketFolder(deps.runDir, sessionId), { recursive: true, mode: 0o700 });
  try {
    const spec = specOf(deps, sessionId, { ...it, folder: null }, run, true);
    const sandbox = await deps.sandboxes[it.agent.sandbox].start(spec);
    let is: 'done' | 'in-vain' = 'done';
    const end = deps.clock.after(LIMITS.recoverMs, () => {
      is = 'in-vain';
      sandbox.kill();
    });
    await sandbox.gone;
    end.cancel();
    return { is };
  } catch (error) {
    deps.log.error('recovery did not start', { session: sessionId, error: errorText(error) });
    return { is: 'not-started', why: errorText(error) };
  }
}

async function tellWaiting(deps: ActorDeps, from: CollectedFrom, why: string): Promise<void> {
  const text =
    `Your message waits: a run was cut off, and the sandbox that would put its file right does not start: ${why}. ` +
    'It is tried again by itself; see `./halfdoor status` and host.log in the home.';
  await tellOpen(deps, from, 'recovery', deps.redact(text));
}
