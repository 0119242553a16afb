/** What must not stand in code, or only in the places named here, each with its reason. */
import { lineAt, type Finding, type Lint, type Source } from './source.ts';

const isTest = (path: string): boolean => /(^|\/)(tests|bench)\//.test(path);

const SQL =
  /\b(create\s+(table|index|view|trigger)\b|select\s[^]*\bfrom\s|insert\s+(or\s+\w+\s+)?into\s|update\s+\w+\s+set\s|delete\s+from\s)/i;

export const sql: Lint = {
  name: 'SQL stands in protocol/ and host/db/ only',
  run: (sources) =>
    sources
      .filter(({ path }) => !isTest(path) && !path.startsWith('protocol/') && !path.startsWith('host/db/'))
      .flatMap(({ path, strings }) =>
        strings.filter(({ value }) => SQL.test(value)).map(({ line }) => ({ path, line, what: 'SQL in a string' })),
      ),
};

const PROVIDERS = ['claude', 'codex', 'opencode', 'gemini', 'direct', 'demo', 'mock'];

export const providerNames: Lint = {
  name: 'the loop, the prompt and the tools know no provider by name',
  run: (sources) =>
    sources
      .filter(({ path }) => ['runner/loop.ts', 'runner/prompt.ts'].includes(path) || path.startsWith('runner/tools/'))
      .flatMap(({ path, strings }) =>
        strings
          .filter(({ value }) => PROVIDERS.includes(value.toLowerCase()))
          .map(({ value, line }) => ({ path, line, what: `names provider ${value}` })),
      ),
};

/** At the very beginning of a line: the formatter indents everything that is not at module level. */
const STATE: readonly RegExp[] = [
  /^(?:export\s+)?(?:let|var)\s/gm,
  /^(?:export\s+)?const\s+\w+(?:\s*:(?!\s*Readonly)[^=]+)?\s*=\s*new\s+(?:Weak)?(?:Map|Set)\b/gm,
  /^(?:export\s+)?const\s+\w+(?:\s*:(?!\s*readonly\b)[^=]+)?\s*=\s*(?:\[\s*\]|\{\s*\}|new\s+Array\b)/gm,
];

export const moduleState: Lint = {
  name: 'no mutable state at module level',
  run: (sources) =>
    // A test file is a program of its own, and so is main.ts: what it holds is the process's.
    sources
      .filter(({ path }) => !isTest(path) && !path.endsWith('main.ts'))
      .flatMap((source) => STATE.flatMap((pattern) => matches(source, pattern, 'mutable state at module level'))),
};

const DURABLE = /\.commit\(|\bexec\((?=['"`])|\b(?:fsync|fdatasync|rename)(?:Sync)?\s*\(/g;

/** Where an effect may be durable without naming a step. */
const DURABLE_ELSEWHERE: readonly [path: string, reason: string][] = [
  ['protocol/sqlite.ts', 'the one place that begins and commits; its callers name the step'],
  ['protocol/template.ts', 'makes the two files that every session is copied from; its caller names the step'],
  ['host/files/remove.ts', 'what is thrown away: a move that is lost is made again'],
  ['runner/bundle.ts', 'a build step: a bundle that is lost is made again'],
  ['host/db/', 'the transaction of central itself: Central.commit takes the step and hands it to durable'],
];

export const durable: Lint = {
  name: 'commit, fsync and rename only inside durable(…)',
  run: (sources) =>
    sources
      .filter(({ path }) => /^(host|runner|protocol)\//.test(path) && !isTest(path))
      .filter(({ path }) => !DURABLE_ELSEWHERE.some(([place]) => path.startsWith(place)))
      .flatMap((source) =>
        [...source.code.matchAll(DURABLE)]
          .filter((match) => isEffect(source, match) && !isGuarded(source.code, match.index))
          .map((match) => finding(source, match.index, `${match[0].replace('(', '')} outside durable(…)`)),
      ),
};

/** `.commit('step', …)` names its step itself; exec counts only when it commits. */
function isEffect({ text }: Source, match: RegExpExecArray): boolean {
  const after = text.slice(match.index + match[0].length, match.index + match[0].length + 12);
  if (match[0] === '.commit(') return !/^\s*['"]/.test(after);
  return match[0].startsWith('exec') ? /^['"`]\s*(commit|end)\b/i.test(after) : true;
}

/** Inside durable(…) itself, or in a function of this file that is called from such places only. */
function isGuarded(code: string, offset: number, within: readonly string[] = []): boolean {
  if (insideDurable(code, offset)) return true;
  const name = /[^]*\nfunction (\w+)[^]*$/.exec(`\n${code.slice(0, offset)}`)?.[1];
  if (name === undefined || within.includes(name)) return false;
  if (/\n}/.test(code.slice(code.lastIndexOf(`function ${name}`), offset))) return false;
  const calls = [...code.matchAll(new RegExp(`(?<!function )\\b${name}\\(`, 'g'))];
  return calls.length > 0 && calls.every((call) => isGuarded(code, call.index, [...within, name]));
}

/** Whether an open parenthesis on the way to `offset` belongs to a call of `durable`. */
function insideDurable(code: string, offset: number): boolean {
  let depth = 0;
  for (let i = offset - 1; i >= 0; i--) {
    if (code[i] === ')') depth++;
    else if (code[i] === '(' && depth-- === 0) {
      if (/durable$/i.test(code.slice(Math.max(0, i - 20), i))) return true;
      depth = 0;
    }
  }
  return false;
}

export const leftOvers: Lint = {
  name: 'no test that is skipped or runs alone, nothing left to do',
  run: (sources) =>
    sources.flatMap((source) => [
      ...matches(
        source,
        /\b(?:test|it|describe|suite)\.(?:skip|only|todo)\b/g,
        'skipped, alone, or still to be written',
      ),
      ...(source.path.startsWith('tests/lint/') ? [] : markers(source)),
    ]),
};

function markers(source: Source): Finding[] {
  return [...source.text.matchAll(/\b(?:TODO|FIXME|XXX)\b/g)].map((match) =>
    finding(source, match.index, `${match[0]} left`),
  );
}

function matches(source: Source, pattern: RegExp, what: string): Finding[] {
  return [...source.code.matchAll(pattern)].map((match) => finding(source, match.index, what));
}

const finding = ({ path, text }: Source, offset: number, what: string): Finding => ({
  path,
  line: lineAt(text, offset),
  what,
});
