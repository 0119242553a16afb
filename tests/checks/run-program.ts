import { spawn } from 'node:child_process';

/** `code` is null where a signal ended it, or where it never began. */
export type Ran = { code: number | null; signal: NodeJS.Signals | null; output: string; seconds: number };
export type RunOptions = { cwd: string; env: NodeJS.ProcessEnv; timeoutMs: number; signal: AbortSignal };

/** Never rejects. Out of time or aborted, it is killed with everything it started. */
export function runProgram(argv: readonly string[], { cwd, env, timeoutMs, signal }: RunOptions): Promise<Ran> {
  const began = performance.now();
  const [file = '', ...args] = argv;
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const end = (code: number | null, by: NodeJS.Signals | null): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', kill);
      resolve({ code, signal: by, output, seconds: (performance.now() - began) / 1000 });
    };
    const kill = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // gone already
      }
    };
    const timer = setTimeout(() => {
      output += `\nstill running after ${timeoutMs / 1000} s: killed\n`;
      kill();
    }, timeoutMs);
    signal.addEventListener('abort', kill);
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (part: string) => (output += part));
    child.once('error', (error) => {
      output += error.message;
      end(null, null);
    });
    child.once('close', end);
  });
}
