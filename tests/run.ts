/**
 * `./halfdoor test [PATTERN] [--json]`: checks, then every test file, two at a time, as an ordinary user. The last line
 * is the total. A file whose need the machine lacks is left out and named; with CI=true that fails.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../cli/failure.ts';
import { closeInherited } from '../cli/host-process.ts';
import { makeChecks, runCheck } from './checks/checks.ts';
import { resultLines, whatFailed } from './checks/failed.ts';
import { needsOf, PROBES, ROOT_HOW } from './checks/needs.ts';
import { runProgram, type RunOptions } from './checks/run-program.ts';
import { countTests, findSuites, suiteCommand, type Counts, type Suite } from './checks/suites.ts';
import { makeTestUser, type TestUser } from './checks/test-user.ts';
import { listFiles } from './checks/tree.ts';

const AT_ONCE = 2;
const FILE_MS = 15 * 60_000;
const PROBE_MS = 30_000;

const root = join(import.meta.dirname, '..');
const uid = process.getuid?.() ?? 0;

type Run = {
  user: TestUser;
  bun: string;
  signal: AbortSignal;
  total: Counts;
  /** Said once more at the end, where it is looked for. */
  failures: string[];
  say(line: string): void;
};

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const indent = (text: string): string => text.replaceAll(/^/gm, '    ');

function options(run: Run, more: Partial<RunOptions>): RunOptions {
  return { cwd: root, env: process.env, timeoutMs: FILE_MS, signal: run.signal, ...more };
}

function result(run: Run, counts: Counts, line: string, output: string): void {
  run.total.passed += counts.passed;
  run.total.failed += counts.failed;
  run.say(`${counts.failed === 0 ? 'ok    ' : 'FAILED'}  ${line}`);
  if (counts.failed === 0) return;
  run.say(indent(output.trim()));
  run.failures.push(`FAILED  ${line}`, ...resultLines(output).map(indent));
}

async function checkTree(run: Run, paths: readonly string[]): Promise<void> {
  for (const check of makeChecks(root, paths, options(run, {}))) {
    const { name, problem, seconds } = await runCheck(check);
    const counts = problem === null ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
    result(run, counts, `${name} (${seconds.toFixed(1)} s)`, problem ?? '');
  }
}

/** How to get what is missing, by need. */
async function missingNeeds(run: Run, needs: ReadonlySet<string>): Promise<Map<string, string>> {
  const missing = new Map<string, string>();
  for (const need of needs) {
    const probe = PROBES[need];
    if (!probe) {
      if (uid !== 0) missing.set(need, ROOT_HOW);
      continue;
    }
    const env = run.user.env(false);
    const { code } = await runProgram(run.user.wrap(probe.run, false), options(run, { env, timeoutMs: PROBE_MS }));
    if (code !== 0) missing.set(need, probe.how);
  }
  return missing;
}

async function runSuite(run: Run, suite: Suite, asRoot: boolean): Promise<void> {
  const { argv, cwd } = suiteCommand(suite, root, run.bun);
  const ran = await runProgram(run.user.wrap(argv, asRoot), options(run, { cwd, env: run.user.env(asRoot) }));
  const counts = countTests(suite.runner, ran.output, ran.code);
  result(
    run,
    counts,
    `${suite.path} (${suite.runner}, ${counts.passed + counts.failed} tests, ${ran.seconds.toFixed(1)} s)`,
    whatFailed(suite.runner, ran),
  );
}

async function runSuites(run: Run, suites: readonly Suite[]): Promise<void> {
  const needs = new Map(suites.map(({ path }) => [path, needsOf(path, readFileSync(join(root, path), 'utf8'))]));
  const missing = await missingNeeds(run, new Set([...needs.values()].flat()));
  const lacks = ({ path }: Suite): string[] => (needs.get(path) ?? []).filter((need) => missing.has(need));
  const queue = suites.filter((suite) => lacks(suite).length === 0);
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next && !run.signal.aborted; next = queue.shift()) {
      await runSuite(run, next, uid === 0 && (needs.get(next.path)?.includes('root') ?? false));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  for (const suite of suites.filter((it) => lacks(it).length > 0)) {
    const lacking = lacks(suite);
    run.say(
      `left out  ${suite.path} (${suite.runner}): needs ${lacking.map((need) => `${need} (${missing.get(need)})`).join('; ')}`,
    );
    if (process.env.CI === 'true' && lacking.some((need) => need !== 'root')) run.total.failed++;
  }
}

async function main(words: readonly string[]): Promise<void> {
  const json = words.includes('--json');
  const pattern = words.find((word) => !word.startsWith('-'));
  const { HALFDOOR_BUN: bun } = process.env;
  if (!bun) throw new Failure('HALFDOOR_BUN is not set', 'Run ./halfdoor test.', 2);
  // Node hands on what it inherited, and a test must not pass or fail by what its caller left open.
  closeInherited();
  const end = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end.abort());
  const user = makeTestUser(root, bun, uid, process.env);
  const run: Run = { user, bun, signal: end.signal, total: { passed: 0, failed: 0 }, failures: [], say };
  try {
    const paths = listFiles(root);
    const { suites, orphans } = findSuites(paths);
    const wanted = suites.filter(({ path }) => pattern === undefined || path.includes(pattern));
    if (pattern === undefined) {
      await checkTree(run, paths);
      for (const path of orphans)
        result(run, { passed: 0, failed: 1 }, path, 'no runner picks this file up (see tests/checks/suites.ts)');
    } else if (wanted.length === 0)
      throw new Failure(`no test file's path holds ${JSON.stringify(pattern)}`, 'Give less of it.', 2);
    await runSuites(run, wanted);
  } finally {
    user.end();
  }
  if (end.signal.aborted) run.total.failed++;
  for (const line of run.failures) say(line);
  say(json ? JSON.stringify(run.total) : `${run.total.passed} passed, ${run.total.failed} failed`);
  process.exitCode = run.total.failed === 0 ? 0 : 1;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  process.stderr.write(`${error.message}\n${error.next}\n`);
  process.exitCode = error.exitCode;
}
