/**
 * The side of the crash bench that is inside the process it watches, host (Node), runner (Bun) and receiver alike: at
 * the step that the controller has armed, the process says where it is and stops itself. The controller kills whom it
 * wants and lets the rest go on. Both ends lie in one folder, which every sandbox sees read-only: a file that names the
 * step, and a pipe.
 */
import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export const ARMED = 'armed';
export const PIPE = 'stopped';

/** `id` makes one stop of it, however often the step comes. */
export type Armed = { id: number; step: string; edge: 'before' | 'after' };
/** `who` is what the process knows itself by: the label of a run, the chat of a receiver, nothing for the host. */
export type Stopped = Armed & { pid: number; who: string };

export type Gate = (step: string, edge: Armed['edge']) => void;

export function makeGate(folder: string, who: string): Gate {
  let stoppedAt = 0;
  return (step, edge) => {
    const armed = readArmed(join(folder, ARMED));
    if (armed === null || armed.id === stoppedAt || armed.step !== step || armed.edge !== edge) return;
    stoppedAt = armed.id;
    if (say(join(folder, PIPE), { ...armed, pid: process.pid, who })) process.kill(process.pid, 'SIGSTOP');
  };
}

function readArmed(path: string): Armed | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Armed;
  } catch {
    return null; // nothing is armed
  }
}

/** False when nobody listens: then nobody would let it go on either. */
function say(path: string, stopped: Stopped): boolean {
  try {
    const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    writeSync(fd, `${JSON.stringify(stopped)}\n`);
    closeSync(fd);
    return true;
  } catch {
    return false;
  }
}
