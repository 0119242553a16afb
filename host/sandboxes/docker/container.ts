/** A container that runs: how it is stopped, killed, and known to be gone. Its processes are the machine's, and this user's. */
import { LIMITS } from '@halfdoor/protocol/limits';
import { bornAt, descendants } from '../launched.ts';
import type { RunningSandbox, SandboxExit } from '../sandbox.ts';
import type { Docker } from './cli.ts';

const TERM_EVERY_MS = 50;
/** How soon an end is seen that nobody asked for, and one that somebody did. */
const LOOK_MS = 50;
const HURRY_MS = 5;
const ANSWER_MS = 10_000;
const STDERR_BYTES = 4096;

/** `inner` is PID 1 inside as the machine sees it, 0 when it has ended already; its end is the end of all of them. */
export function contained(docker: Docker, id: string, inner: number): RunningSandbox {
  const born = inner === 0 ? null : bornAt(inner);
  const isThere = (): boolean => born !== null && bornAt(inner) === born;
  let hurried = false;
  let seen: () => void = () => undefined;
  const gone = (async () => {
    while (isThere()) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, hurried ? HURRY_MS : LOOK_MS);
        seen = () => (clearTimeout(timer), resolve());
      });
    }
    return exitOf(docker, id);
  })();
  const signal = (name: NodeJS.Signals): void => {
    if (!isThere()) return;
    hurried = true;
    try {
      process.kill(inner, name);
    } catch (error) {
      // Where a profile of the machine keeps even its own user from it, the engine is let through.
      if ((error as NodeJS.ErrnoException).code === 'EPERM')
        void docker(['kill', '--signal', name, id], ANSWER_MS).catch(() => undefined);
    }
    seen();
  };
  const stop = async (): Promise<SandboxExit> => {
    const again = setInterval(() => signal('SIGTERM'), TERM_EVERY_MS);
    signal('SIGTERM');
    const end = setTimeout(() => signal('SIGKILL'), LIMITS.stopGraceMs);
    const exit = await gone;
    clearInterval(again);
    clearTimeout(end);
    return exit;
  };
  return { pid: inner, pids: () => (isThere() ? descendants(inner) : []), gone, stop, kill: () => signal('SIGKILL') };
}

/** Its exit code and last words, and then it is removed. Of an engine that went away with it nothing is known. */
async function exitOf(docker: Docker, id: string): Promise<SandboxExit> {
  try {
    const { out } = await docker(['wait', id], ANSWER_MS);
    const { err } = await docker(['logs', id], ANSWER_MS);
    const code = /^\d+$/.test(out.trim()) ? Number(out) : null;
    return { code, signal: code === null ? 'SIGKILL' : null, stderr: err.slice(-STDERR_BYTES) };
  } catch (error) {
    return { code: null, signal: 'SIGKILL', stderr: (error as Error).message };
  } finally {
    // What is left of one is swept before the first start of the next host.
    void docker(['rm', '--force', id], ANSWER_MS).catch(() => undefined);
  }
}
