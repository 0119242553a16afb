/** Of what a test file printed, what tells why it failed: a log is read from its end, and is often cut. */
import type { Ran } from './run-program.ts';
import type { Runner } from './suites.ts';

/** Of what was printed beside the results, only the newest lines. */
const BESIDE_LINES = 60;

/** `ends` are the results in the order in which they came, each with everything that belongs to it. */
type Read = { ends: End[]; beside: string[] };
type End = { passed: boolean; lines: string[] };

/**
 * Every result that counts as a failure, whole, and behind them the last of what was printed beside the results. Where
 * no test says that it failed, the last that ended: what hung or broke off came after it.
 */
export function whatFailed(runner: Runner, ran: Omit<Ran, 'seconds'>): string {
  const { output } = ran;
  const { ends, beside } = runner === 'node' ? readTap(output.split('\n')) : readBun(output.split('\n'));
  const failed = ends.filter(({ passed }) => !passed).flatMap(({ lines }) => lines);
  const said = beside.filter((line) => line.trim() !== '');
  const shown = said.slice(-BESIDE_LINES);
  return [
    ...(failed.length === 0 ? [unsaid(ends, ran)] : failed),
    ...(shown.length === 0 ? [] : [`Printed beside the results, last ${shown.length} of ${said.length} lines:`]),
    ...shown,
  ].join('\n');
}

/** The lines that say how a test ended, or that the file ended without a word of it. */
export const resultLines = (shown: string): string[] =>
  shown.split('\n').filter((line) => [RESULT, BUN_RESULT, UNSAID].some((it) => it.test(line)));

const UNSAID = /^No test says that it failed\./;

function unsaid(ends: readonly End[], { code, signal }: Omit<Ran, 'seconds'>): string {
  const [last] = resultLines(ends.at(-1)?.lines.join('\n') ?? '');
  const after = last === undefined ? 'before any test ended' : `after: ${last.trim()}`;
  return `No test says that it failed. The file ended ${signal === null ? `with ${code}` : `by ${signal}`}, ${after}`;
}

const RESULT = /^( *)(not )?ok \d+ - /;
const LEFT_OUT = / # (SKIP|TO[D]O)\b/;
const TAP_ONLY =
  /^TAP version \d+$|^ *# Subtest: |^ *1\.\.\d+$|^# (tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/;

/** TAP 13 as Node writes it: a result, and below it, indented by two, a block from `---` to `...`. */
function readTap(lines: readonly string[]): Read {
  const read: Read = { ends: [], beside: [] };
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? '';
    const result = RESULT.exec(line);
    if (result) {
      const [, indent = '', not] = result;
      const close = lines[at + 1] === `${indent}  ---` ? lines.indexOf(`${indent}  ...`, at) : -1;
      const end = close === -1 ? at : close;
      read.ends.push({ passed: not === undefined && !LEFT_OUT.test(line), lines: lines.slice(at, end + 1) });
      at = end;
    } else if (!TAP_ONLY.test(line)) read.beside.push(line);
  }
  return read;
}

const BUN_RESULT = /^\((pass|fail|skip|todo)\) /;
/** Below it Bun says once more which failed, where there were many tests. */
const BUN_AGAIN = /^\d+ tests failed:$/;

/** Bun prints what a test threw above its result, among what the test itself prints. */
function readBun(lines: readonly string[]): Read {
  const read: Read = { ends: [], beside: [] };
  let above: string[] = [];
  const again = lines.findIndex((line) => BUN_AGAIN.test(line));
  for (const line of again === -1 ? lines : lines.slice(0, again)) {
    const word = BUN_RESULT.exec(line)?.[1];
    if (word === undefined) {
      above.push(line);
      continue;
    }
    if (word !== 'fail') read.beside.push(...above.splice(0));
    read.ends.push({ passed: word === 'pass', lines: [...above, line] });
    above = [];
  }
  read.beside.push(...above);
  return read;
}
