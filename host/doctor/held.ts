/** Whether a host holds the home, whether it answers, and what one that died left behind. */
import { existsSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isHeld, lockHome, readPid } from '../db/lock.ts';
import type { Home } from '../home.ts';
import { reapStrays, straysOf } from '../sandboxes/strays.ts';
import type { Check, Found } from './check.ts';
import type { Ground } from './ground.ts';

/** A host that is starting or ending holds its home without an answer for so long. */
const SETTLE_MS = 12_000;
const LOOK_MS = 100;
const ANSWER_MS = 5_000;
const UNASKED = 'No model was asked, since no host runs: ./halfdoor start --detach && ./halfdoor doctor';

export type HeldSeen = { held: boolean; answers: boolean; pid: number | null; strays: number; open: number };

export const heldHome = ({ home, central }: Ground): Check => ({
  name: 'whether a host runs',
  look: async () => {
    const held = isHeld(home.lock);
    const answers = held && (await answersSoon(home));
    const open = central.state === 'sound' ? central.open : 0;
    const strays = held ? 0 : straysOf(home.label).length;
    const seen = { held, answers, pid: readPid(home.pidFile), strays, open };
    return {
      fine: answers ? `a host runs (pid ${seen.pid})` : 'no host runs, and none is needed',
      found: judgeHeld(home, seen),
      ...(held || central.state !== 'sound' || central.endpoints.length === 0 ? {} : { note: UNASKED }),
    };
  },
});

/** Pure but for `mend`, which holds the home as a host would while it tidies up. */
export function judgeHeld(home: Home, { held, answers, pid, strays, open }: HeldSeen): Found[] {
  const start = './halfdoor start --detach';
  if (held && !answers) {
    const what = `A host holds the home (pid ${pid ?? 'unknown'}) and does not answer: it hangs, or its socket is gone.`;
    return [
      { id: 'host-silent', severity: 'broken', what, next: `kill ${pid ?? '$(pgrep -f host/main.ts)'} && ${start}` },
    ];
  }
  if (held) return [];
  const found: Found[] = [];
  if (pid !== null) {
    const what = `A host (pid ${pid}) died and left its pid file ${home.pidFile}; nothing holds the home any more.`;
    const mend = () => tidyUp(home);
    found.push({ id: 'pid-file-stale', severity: 'warning', what, next: './halfdoor doctor --fix', mend });
  }
  if (strays > 0) {
    const what = `A host died and left ${strays} ${strays === 1 ? 'process' : 'processes'} of its sandboxes running.`;
    const mend = () => tidyUp(home);
    found.push({ id: 'strays', severity: 'warning', what, next: './halfdoor doctor --fix', mend });
  }
  if (open > 0) {
    const what = `${open} ${open === 1 ? 'message waits' : 'messages wait'} for an answer, and no host runs.`;
    found.push({ id: 'host-missing', severity: 'warning', what, next: start });
  }
  return found;
}

/** Throws `HomeLocked` when a host has come up meanwhile: then all of this is its own to tidy up. */
async function tidyUp(home: Home): Promise<string> {
  const lock = lockHome(home.root, home.lock, home.pidFile, process.pid);
  try {
    const ended = await reapStrays(home.label);
    return `removed ${home.pidFile}${ended > 0 ? ` and ended ${ended} processes that were left` : ''}`;
  } finally {
    lock.release();
  }
}

/** False once the home was held without an answer for as long as a start or an end takes. */
async function answersSoon(home: Home): Promise<boolean> {
  const deadline = performance.now() + SETTLE_MS;
  while (performance.now() < deadline) {
    if (await answers(home)) return true;
    if (!isHeld(home.lock)) return false;
    await sleep(LOOK_MS);
  }
  return false;
}

/** Connecting alone would prove nothing: the kernel takes connections for a process that stands still. */
function answers(home: Home): Promise<boolean> {
  if (!existsSync(home.runFile)) return Promise.resolve(false);
  const socketPath = join(readFileSync(home.runFile, 'utf8').trim(), 'api.sock');
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(ANSWER_MS);
    const asking = request({ socketPath, path: '/v1/status', agent: false, signal }, (answer) => {
      answer.resume();
      resolve(true);
    });
    asking.on('error', () => resolve(false)).end();
  });
}
