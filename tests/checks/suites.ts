/** Test files: which runner takes which, and what its output says. */
import { join } from 'node:path';

export type Runner = 'node' | 'bun';
export type Suite = { path: string; runner: Runner };
export type Counts = { passed: number; failed: number };

/** protocol/ holds on both sides of the wall, so it is tested under both runtimes. */
const RUNNERS: readonly [folder: string, runners: readonly Runner[]][] = [
  ['protocol/', ['node', 'bun']],
  ['host/', ['node']],
  ['cli/', ['node']],
  ['tests/', ['node']],
  ['bench/', ['node']],
  ['runner/', ['bun']],
];

/** Every test file with each of its runners; `orphans` are those that nobody would run. */
export function findSuites(paths: readonly string[]): { suites: Suite[]; orphans: string[] } {
  const tests = paths.filter((path) => /\.(test|spec)\.[cm]?[jt]sx?$/.test(path));
  const runnersOf = (path: string): readonly Runner[] => RUNNERS.find(([folder]) => path.startsWith(folder))?.[1] ?? [];
  return {
    suites: tests.flatMap((path) => runnersOf(path).map((runner) => ({ path, runner }))),
    orphans: tests.filter((path) => !path.endsWith('.test.ts') || runnersOf(path).length === 0),
  };
}

const BUN_TEST_MS = 300_000;

export function suiteCommand({ path, runner }: Suite, root: string, bun: string): { argv: string[]; cwd: string } {
  if (runner === 'node') return { argv: [process.execPath, '--test-reporter=tap', join(root, path)], cwd: root };
  const cwd = path.startsWith('runner/') ? join(root, 'runner') : root;
  return { argv: [bun, 'test', `--timeout=${BUN_TEST_MS}`, join(root, path)], cwd };
}

/** A file that ran nothing has failed, and so has one that ended badly without saying which test it was. */
export function countTests(runner: Runner, output: string, code: number | null): Counts {
  const read = (word: string): number => {
    const pattern = runner === 'node' ? `^# ${word} (\\d+)$` : `^ *(\\d+) ${word}\\b`;
    return Number(new RegExp(pattern, 'm').exec(output)?.[1] ?? 0);
  };
  const words = runner === 'node' ? ['fail', 'cancelled', 'skipped', 'todo'] : ['fail', 'skip', 'todo', 'error'];
  const passed = read('pass');
  const failed = words.reduce((sum, word) => sum + read(word), 0);
  const unsaid = failed === 0 && (code !== 0 || passed === 0);
  return { passed, failed: unsaid ? 1 : failed };
}
