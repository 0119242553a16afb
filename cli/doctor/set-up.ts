/** What the launcher brings: whole, of this checkout's lock files, and bundled from what lies here. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Check, Found } from '../../host/doctor/check.ts';
import type { Context } from '../context.ts';

const MARKER = '.halfdoor';
const FINISH = './halfdoor doctor --fix';
const BUNDLED = ['runner.js', 'reader.js'];

/** Folder, the lock file it was made from, what it is called. */
const BROUGHT = [
  { folder: 'runtime/node_modules', lock: 'runtime/package-lock.json', called: 'Node and Bun' },
  { folder: 'node_modules', lock: 'package-lock.json', called: 'the packages of host and CLI' },
  { folder: 'runner/node_modules', lock: 'runner/bun.lock', called: 'the packages of the runner' },
] as const;

export const setUp = (context: Context): Check => ({
  name: 'what the launcher brought',
  look: () => {
    const unfinished = BROUGHT.filter(({ folder, lock }) => !isBrought(context.root, folder, lock));
    const bundle = bundleFault(context.env.HALFDOOR_DIST);
    const lost = missingPackages(context.root);
    const found: Found[] = [];
    if (unfinished.length > 0) {
      const what = `Setting up was not finished: ${unfinished.map(({ called }) => called).join(' and ')} must still be brought.`;
      const mend = () => finishSetUp(context, []);
      found.push({ id: 'set-up-unfinished', severity: 'broken', what, next: FINISH, mend });
    }
    if (lost.length > 0 && !unfinished.some(({ folder }) => folder === 'node_modules')) {
      const what = `Packages of host and CLI are missing or of another version: ${lost.join(', ')}.`;
      const mend = () => finishSetUp(context, [join('node_modules', MARKER)]);
      found.push({ id: 'packages-missing', severity: 'broken', what, next: FINISH, mend });
    }
    if (bundle !== null) {
      const mend = () => finishSetUp(context, [], context.env.HALFDOOR_DIST);
      found.push({ id: 'bundle-missing', severity: 'broken', what: bundle, next: FINISH, mend });
    }
    return { fine: 'what the launcher brings is whole', found };
  },
});

/** Has the launcher bring again what `markers` stand for. Throws when it could not, with its words on stderr. */
export function finishSetUp({ root, env }: Context, markers: readonly string[], bundle?: string): string {
  // Without `ready` it compares every marker again.
  for (const marker of ['runtime/ready', ...markers]) rmSync(join(root, marker), { force: true });
  if (bundle !== undefined) rmSync(bundle, { recursive: true, force: true });
  const { status } = spawnSync(join(root, 'halfdoor'), ['--version'], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error('the launcher did not finish');
  return 'had the launcher finish setting up';
}

/** As the launcher notes it: the checksum of the lock file, with a word more where tests' packages came along. */
function isBrought(root: string, folder: string, lock: string): boolean {
  const marker = join(root, folder, MARKER);
  if (!existsSync(marker)) return false;
  const sum = spawnSync('cksum', { input: readFileSync(join(root, lock)), encoding: 'utf8' });
  const key = sum.stdout.trim().replaceAll(' ', '-');
  return [key, `${key}-develop`].includes(readFileSync(marker, 'utf8').trim());
}

function bundleFault(dist: string | undefined): string | null {
  if (dist === undefined || !existsSync(join(dist, MARKER))) return 'Runner and reader are not bundled yet.';
  const missing = BUNDLED.filter((name) => !existsSync(join(dist, name)));
  return missing.length === 0 ? null : `${missing.join(' and ')} is missing in ${dist}: no agent can be started.`;
}

/** What the package.json files of host, CLI and protocol ask for, by exact version. */
function missingPackages(root: string): string[] {
  const wanted = ['host', 'cli', 'protocol'].flatMap((folder) => {
    const { dependencies = {} } = readJson(join(root, folder, 'package.json')) as {
      dependencies?: Record<string, string>;
    };
    return Object.entries(dependencies);
  });
  const has = ([name, version]: readonly [string, string]): boolean => {
    const path = join(root, 'node_modules', name, 'package.json');
    return existsSync(path) && (readJson(path) as { version?: string }).version === version;
  };
  return [...new Set(wanted.filter((it) => !has(it)).map(([name]) => name))];
}

export const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));
