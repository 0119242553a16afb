/** A search in a process of its own: what is loaded there is changed by hooks, and what it leaves behind ends with it. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Found } from './explore.ts';

const MAIN = join(import.meta.dirname, 'main.ts');

/** What `main.ts` said with these words. Throws what it said instead when it broke off. */
export async function simulate(...words: string[]): Promise<string> {
  const child = spawn(process.execPath, [MAIN, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let error = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (error += chunk));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (output === '') throw new Error(`the simulation ended with ${code}: ${error}`);
  return output;
}

export const search = async (...words: string[]): Promise<Found> => JSON.parse(await simulate(...words)) as Found;
