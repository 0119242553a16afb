/** A command inside the sandbox, in a process group of its own, so that nothing it started outlives an abort. */
import { spawn } from 'node:child_process';
import { LIMITS } from '@halfdoor/protocol/limits';

export type ShellResult = { output: string; code: number | null; signal: string | null; cut: boolean };
export type ShellOptions = {
  cwd: string;
  env: Record<string, string>;
  signal: AbortSignal;
  timeoutMs?: number;
  /** What was refused while it ran is told under its output: most programs say that much less clearly. */
  refusals: { take(): string[] };
};

/** Output is stdout and stderr as they came, together at most `LIMITS.toolOutputBytes`. Rejects only when no shell can start. */
export function runShell(command: string, options: ShellOptions): Promise<ShellResult> {
  return new Promise((resolve, reject) => {
    const { cwd, env, signal } = options;
    const child = spawn('/bin/sh', ['-c', command], { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks: Buffer[] = [];
    let bytes = 0;
    const take = (chunk: Buffer): void => {
      if (bytes < LIMITS.toolOutputBytes) chunks.push(chunk.subarray(0, LIMITS.toolOutputBytes - bytes));
      bytes += chunk.length;
    };
    const end = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // The whole group is gone already.
      }
    };
    options.refusals.take();
    const timer = options.timeoutMs === undefined ? undefined : setTimeout(end, options.timeoutMs);
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', reject);
    // What the command left in the background keeps the pipes open: the group ends with the command.
    child.on('exit', end);
    child.on('close', (code, killedBy) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      const said = Buffer.concat(chunks).toString('utf8').toWellFormed();
      const refused = options.refusals.take().map((sentence) => `(network: ${sentence})`);
      const output = refused.length === 0 ? said : [said.trimEnd(), ...refused].filter(Boolean).join('\n');
      resolve({ output, code, signal: killedBy, cut: bytes > LIMITS.toolOutputBytes });
    });
  });
}
