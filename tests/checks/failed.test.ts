/** Files that fail in every way there is, run as the test command runs them: of each only what failed is shown. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { bunPath } from '../world/programs.ts';
import { resultLines, whatFailed } from './failed.ts';
import { runProgram, type Ran } from './run-program.ts';
import { countTests, suiteCommand, type Runner } from './suites.ts';

const FILE_MS = 120_000;
const MANY = 200;

const IMPORTS: Readonly<Record<Runner, string>> = {
  node: "import { test } from 'node:test';\n",
  bun: "import { test } from 'bun:test';\n",
};

async function run(runner: Runner, body: string): Promise<Ran> {
  const folder = mkdtempSync(join(tmpdir(), 'hd-failed-'));
  const path = 'some.test.ts';
  try {
    writeFileSync(join(folder, path), IMPORTS[runner] + body);
    const { argv } = suiteCommand({ path, runner }, folder, bunPath());
    const { signal } = new AbortController();
    return await runProgram(argv, { cwd: folder, env: process.env, timeoutMs: FILE_MS, signal });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function shownOf(runner: Runner, body: string): Promise<string> {
  const ran = await run(runner, body);
  assert.ok(countTests(runner, ran.output, ran.code).failed > 0, ran.output);
  return whatFailed(runner, ran);
}

const passing = (n: number): string => `test('quiet ${n}', () => {});\n`;
const many = Array.from({ length: MANY }, (_, n) => passing(n)).join('');

for (const runner of ['node', 'bun'] as const) {
  test(`${runner}: one that failed among many is shown with its reason, and none that passed`, async () => {
    const bad = "test('loud', () => { throw new Error('first line\\nsecond line'); });\n";
    const shown = await shownOf(runner, many + bad + many);
    for (const said of ['loud', 'first line', 'second line', 'some.test.ts:']) assert.ok(shown.includes(said), shown);
    assert.doesNotMatch(shown, /^(ok|\(pass\)) /m);
    assert.equal(resultLines(shown).length, 1, shown);
    assert.match(resultLines(shown)[0] ?? '', /loud/);
  });

  test(`${runner}: of what was printed beside, the newest is shown, and how much there was`, async () => {
    const noise = `for (let n = 0; n < ${MANY}; n++) console.log('noise ' + n + '.');\n`;
    const shown = await shownOf(runner, `${noise}${many}test('loud', () => { throw new Error('this'); });\n`);
    assert.match(shown, /loud/);
    assert.match(shown, /last \d+ of \d+ lines/);
    assert.ok(shown.split('\n').length < MANY, shown);
  });

  test(`${runner}: what was left out counts as failed and is shown`, async () => {
    const shown = await shownOf(runner, `${passing(0)}test.skip('left alone', () => {});\n`);
    assert.match(shown, /left alone/);
    assert.doesNotMatch(shown, /quiet 0/);
  });

  test(`${runner}: of a file that could not be loaded the error is shown`, async () => {
    assert.match(await shownOf(runner, "throw new Error('at load');\n"), /at load/);
  });
}

test('node: a test inside another is shown with the one it stands in, without its sisters', async () => {
  const body = `test('outer', async (t) => {
    await t.test('sister', () => {});
    await t.test('inner', () => { throw new Error('reason'); });
  });\n`;
  const shown = await shownOf('node', body);
  assert.match(shown, /not ok 2 - inner[^]*reason[^]*not ok 1 - outer/);
  assert.doesNotMatch(shown, /sister/);
});

test('node: of a file that broke off the last test that ended is named', async () => {
  const ran = await run('node', passing(0) + passing(1));
  const output = `${ran.output.slice(0, ran.output.indexOf('1..2'))}still running\n`;
  const shown = whatFailed('node', { output, code: null, signal: 'SIGKILL' });
  assert.match(shown, /by SIGKILL, after: ok 2 - quiet 1\n[^]*still running$/);
  assert.match(resultLines(shown)[0] ?? '', /by SIGKILL/);
});

test('node: of a file that a signal ended the signal is named', async () => {
  assert.match(await shownOf('node', "process.kill(process.pid, 'SIGKILL');\n"), /by SIGKILL, before any test ended/);
});
