/** The receiver's process, as the bench holds it. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Received } from './tally.ts';

export type Receiver = { /** Where replies can be posted to. */ url: string; end(): void };

/** Resolves when it listens. `take` is called with each message, in order. */
export function openReceiver(argv: readonly string[], take: (received: Received) => void): Promise<Receiver> {
  const main = join(import.meta.dirname, 'receiver-main.ts');
  const child = spawn(process.execPath, [main, ...argv], { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the receiver ended with ${code}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const told = JSON.parse(line) as Received | { port: number };
      if ('port' in told) resolve({ url: `http://127.0.0.1:${told.port}/replies`, end: () => child.kill('SIGKILL') });
      else take(told);
    });
  });
}
