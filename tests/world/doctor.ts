/** `halfdoor doctor` of this checkout, on any home. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Finding } from '../../host/doctor/check.ts';
import { bunPath, distPath, ROOT } from './programs.ts';

/** Nothing that is asked here runs longer; a host that started after all is ended. */
const ENDS_MS = 60_000;

export type Examined = { code: number | null; findings: Finding[]; checked: number; notes: string[]; err: string };

export type Asked = {
  home: string;
  words?: readonly string[];
  env?: NodeJS.ProcessEnv;
  /** argv in front of the CLI's own: a namespace to run it in. */
  before?: readonly string[];
  /** What is run, from the root of the checkout; the CLI unless said. */
  main?: string;
};

export type Said = { code: number | null; out: string; err: string };

/** The CLI as the launcher starts it. */
export function runHalfdoor({ home, words = [], env = {}, before = [], main = 'cli/main.ts' }: Asked): Promise<Said> {
  const [file = '', ...args] = [...before, process.execPath, join(ROOT, main), ...words];
  const { PATH = '/usr/bin:/bin' } = process.env;
  const child = spawn(file, args, {
    cwd: '/',
    env: { PATH, HOME: home, HALFDOOR_HOME: home, HALFDOOR_BUN: bunPath(), HALFDOOR_DIST: distPath(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: ENDS_MS,
  });
  let [out, err] = ['', ''];
  child.stdout?.on('data', (part) => (out += String(part)));
  child.stderr?.on('data', (part) => (err += String(part)));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, out, err }));
  });
}

export async function examine({ words = [], ...asked }: Asked): Promise<Examined> {
  const { code, out, err } = await runHalfdoor({ ...asked, words: ['doctor', '--json', ...words] });
  return { code, err, ...(JSON.parse(out) as Omit<Examined, 'code' | 'err'>) };
}

export const ids = ({ findings }: Examined): string[] => findings.map(({ id }) => id);
export const fixed = ({ findings }: Examined): string[] => findings.flatMap(({ id, fixed: it }) => (it ? [id] : []));
