/** bubblewrap, tini and prlimit: what the sandbox of Linux is made with, and the one question the launcher ever asks. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { Context } from './context.ts';
import { Failure } from './failure.ts';

/** Package of Debian and its program. */
const TOOLS = [
  ['bubblewrap', 'bwrap'],
  ['tini', 'tini'],
  ['util-linux', 'prlimit'],
] as const;

/** Names of the packages that lack. `system` is looked through whatever PATH says. */
export function missingTools(path: string, system: readonly string[] = ['/usr/bin', '/bin']): string[] {
  const folders = [...path.split(':'), ...system].filter((it) => it.startsWith('/'));
  const has = (program: string): boolean => folders.some((folder) => canRun(join(folder, program)));
  return TOOLS.filter(([, program]) => !has(program)).map(([name]) => name);
}

function canRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Root is asked once whether they may be installed; anybody else is shown the command. With `needed` it throws
 * `Failure` when they stay missing, else that is only said: an agent may use another sandbox.
 */
export async function ensureSandboxTools(context: Context, needed: boolean): Promise<void> {
  if (process.platform !== 'linux') return;
  const missing = missingTools(context.env.PATH ?? '');
  if (missing.length === 0) return;
  const command = `apt-get install ${missing.join(' ')}`;
  const what = `sandbox bubblewrap needs ${missing.join(' and ')}, not installed here`;
  if (context.uid === 0 && (context.yes || (await mayInstall(command)))) return install(context, missing);
  const next = context.uid === 0 ? `Run: ${command} (or give --yes)` : `Run: sudo ${command}`;
  if (needed) throw new Failure(what, next);
  context.printer.note(`${what}. ${next}`);
}

async function mayInstall(command: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return false;
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await asking.question(
      `The sandbox is made with programs that are missing. May I ${command}? [y/N] `,
    );
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    asking.close();
  }
}

/** Throws `Failure` with the last words of apt-get. Only root may call it. */
export function install(context: Context, packages: readonly string[]): void {
  context.printer.note(`Installing ${packages.join(' and ')} with apt-get …`);
  const run = (args: readonly string[]) =>
    spawnSync('apt-get', ['-qq', ...args], {
      env: { ...context.env, DEBIAN_FRONTEND: 'noninteractive' },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const args = ['install', '-y', '--no-install-recommends', ...packages];
  let done = run(args);
  if (done.status !== 0) {
    run(['update']);
    done = run(args);
  }
  if (done.status === 0) return;
  const why = (done.error?.message ?? done.stderr).trim().split('\n').slice(-5).join('\n');
  throw new Failure(
    `apt-get could not install ${packages.join(' and ')}:\n${why}`,
    'Install them by hand, then try again.',
  );
}
