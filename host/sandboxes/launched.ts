/** A started sandbox, whatever kind: how it is stopped, killed, and known to be gone. */
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { LIMITS } from '@halfdoor/protocol/limits';
import type { RunningSandbox, SandboxExit } from './sandbox.ts';

const STDERR_BYTES = 4096;
const TERM_EVERY_MS = 50;
const GONE_EVERY_MS = 2;

/** Last part of what a child wrote to stderr. */
export function tailOf(child: ChildProcess): () => string {
  let tail = '';
  child.stderr?.setEncoding('utf8');
  child.stderr?.on('data', (chunk: string) => (tail = (tail + chunk).slice(-STDERR_BYTES)));
  return () => tail;
}

/** `inner` is the process that holds everything else inside; its end is the end of all of them. */
export function launched(child: ChildProcess, inner: number, stderr: () => string): RunningSandbox {
  const outer = child.pid ?? 0;
  const exited = new Promise<Pick<SandboxExit, 'code' | 'signal'>>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null)
      resolve({ code: child.exitCode, signal: child.signalCode });
    else child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  // A pid that has been reaped may be somebody else's by now: what has ended is not signalled any more.
  let left = [inner, -outer, outer];
  const born = bornAt(inner);
  const gone = exited.then(async (exit) => {
    left = [];
    // Killed before it had tied the inner process to itself, the outer one leaves it running.
    if (born !== null && bornAt(inner) === born) {
      left = [inner];
      signalTo(inner, 'SIGKILL');
      await untilGone([inner]);
      left = [];
    }
    return { ...exit, stderr: stderr() };
  });
  const kill = (): void => {
    for (const pid of left) signalTo(pid, 'SIGKILL');
  };
  const term = (): void => {
    if (left.length > 0) signalTo(inner, 'SIGTERM');
  };
  const stop = async (): Promise<SandboxExit> => {
    // Repeated: what is sent before tini has its handlers is lost.
    const again = setInterval(term, TERM_EVERY_MS);
    term();
    const end = setTimeout(kill, LIMITS.stopGraceMs);
    const exit = await gone;
    clearInterval(again);
    clearTimeout(end);
    return exit;
  };
  return { pid: outer, pids: () => descendants(outer), gone, stop, kill };
}

function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    if (pid !== 0) process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}

/** Resolves once none of these processes is left but as a zombie. */
export async function untilGone(pids: number[]): Promise<void> {
  while (pids.some(isAlive)) await new Promise((resolve) => setTimeout(resolve, GONE_EVERY_MS));
}

export function isAlive(pid: number): boolean {
  const state = statOf(pid)?.[0];
  return state !== undefined && state !== 'Z';
}

/** When this process began, in ticks since boot: with its pid it is one process and no other. Null when it is gone. */
export const bornAt = (pid: number): string | null => statOf(pid)?.[19] ?? null;

/** /proc/PID/stat from the state on (proc(5)); null when there is no such process. */
function statOf(pid: number): string[] | null {
  try {
    // The name may hold anything, also brackets: the state stands behind the last one.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}

/** Kernel pids of a process's whole tree, itself first. */
export function descendants(root: number): number[] {
  const children = (pid: number): number[] => {
    try {
      return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
    } catch {
      return [];
    }
  };
  const all = [root];
  for (const pid of all) all.push(...children(pid));
  return all.filter(isAlive);
}
