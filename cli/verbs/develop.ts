/** `test` and `bench`: programs of the checkout that this CLI only starts. */
import { spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { asUser, ensureServiceUser } from '../service-user.ts';

/** Checks and tests; with a pattern only the test files whose path holds it. */
export async function test(context: Context, pattern: string | undefined): Promise<void> {
  const args = [...(pattern === undefined ? [] : [pattern]), ...(context.printer.json ? ['--json'] : [])];
  const argv = [process.execPath, join(context.root, 'tests', 'run.ts'), ...args];
  process.exitCode = await run(argv, context.root, context.env);
}

/** One bench by name. It starts hosts of its own, so as root it runs as the host's user, with a home that goes after it. */
export async function bench(context: Context, name: string, more: readonly string[]): Promise<void> {
  const script = join(context.root, 'bench', 'run.ts');
  if (!existsSync(script)) throw new Failure(`${script} is missing`, 'Get the whole checkout again.');
  const argv = [process.execPath, script, name, ...more, ...(context.printer.json ? ['--json'] : [])];
  if (context.uid !== 0) {
    process.exitCode = await run(argv, context.root, context.env);
    return;
  }
  const user = ensureServiceUser();
  const home = mkdtempSync(join(tmpdir(), 'halfdoor-bench-'));
  chownSync(home, user.uid, user.gid);
  const { HALFDOOR_HOME: _, XDG_RUNTIME_DIR: __, ...env } = context.env;
  try {
    process.exitCode = await run(asUser(user, argv), context.root, { ...env, HOME: home });
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

async function run(argv: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<number> {
  const [file = '', ...args] = argv;
  const child = spawn(file, args, { cwd, env, stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
