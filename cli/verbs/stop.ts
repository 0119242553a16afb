import { setTimeout as sleep } from 'node:timers/promises';
import { Unreachable } from '../api.ts';
import type { Context } from '../context.ts';
import { Failure, notRunning } from '../failure.ts';
import { askStatus, isAlive } from '../start-host.ts';

const STOP_MS = 30_000;
const LOOK_MS = 20;

/** Asks the host to end and waits until its process is gone. */
export async function stop(context: Context): Promise<void> {
  const status = await askStatus(context);
  if (!status) throw notRunning(context.home);
  try {
    await context.api.call('POST', '/v1/stop');
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error; // it ended before its answer was out
  }
  const deadline = Date.now() + STOP_MS;
  while (isAlive(status.pid)) {
    if (Date.now() > deadline) {
      throw new Failure(
        `the host (pid ${status.pid}) is still ending after ${STOP_MS / 1000} s`,
        'Look again in a minute: ./halfdoor status',
      );
    }
    await sleep(LOOK_MS);
  }
  context.printer.answer({ stopped: true, pid: status.pid }, `stopped: pid ${status.pid}`);
}
