/** What is looked at without running anything of ours: format, lint, types, own lints. Each counts as one. */
import { dirname, join } from 'node:path';
import { runLints } from '../lint/all.ts';
import { runProgram, type RunOptions } from './run-program.ts';
import { readTree } from './tree.ts';

/** `problem` is null when it holds. */
export type Checked = { name: string; problem: string | null; seconds: number };

type Check = { name: string; run(): Promise<string | null> };

export function makeChecks(root: string, paths: readonly string[], options: RunOptions): Check[] {
  const tool =
    (name: string, ...args: string[]) =>
    () =>
      program([process.execPath, join(root, 'node_modules', name), ...args], options);
  return [
    { name: 'format', run: tool('oxfmt/bin/oxfmt', '--check', '.') },
    { name: 'lint', run: tool('oxlint/bin/oxlint', '--deny-warnings', '.') },
    { name: 'types of host, protocol, cli, tests, bench', run: tool('typescript/bin/tsc', '-p', '.') },
    { name: 'types of runner', run: tool('typescript/bin/tsc', '-p', 'runner') },
    { name: 'every folder with TypeScript is type-checked', run: () => Promise.resolve(untyped(paths)) },
    ...runLints(readTree(root, paths)).map(({ name, findings }) => ({
      name,
      run: () =>
        Promise.resolve(
          findings.length === 0 ? null : findings.map(({ path, line, what }) => `${path}:${line} ${what}`).join('\n'),
        ),
    })),
  ];
}

export async function runCheck({ name, run }: Check): Promise<Checked> {
  const began = performance.now();
  const problem = await run();
  return { name, problem, seconds: (performance.now() - began) / 1000 };
}

async function program(argv: readonly string[], options: RunOptions): Promise<string | null> {
  const { code, output } = await runProgram(argv, options);
  return code === 0 ? null : output.trim() || `ended with ${code}`;
}

/** As in tsconfig.json and runner/tsconfig.json. */
const TYPED = ['protocol', 'host', 'cli', 'tests', 'bench', 'runner'];

function untyped(paths: readonly string[]): string | null {
  const missed = paths.filter((path) => path.endsWith('.ts') && !TYPED.some((folder) => path.startsWith(`${folder}/`)));
  const folders = [...new Set(missed.map((path) => dirname(path)))];
  return folders.length === 0 ? null : `no tsconfig.json includes: ${folders.join(', ')}`;
}
