/** The home is looked at by a process of the user that the host runs as: root follows no link that this user could make. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Checked, Finding } from '../../host/doctor/check.ts';
import type { Context } from '../context.ts';
import { hostEnv } from '../host-process.ts';
import { asUser, canRead, findServiceUser, SERVICE_USER } from '../service-user.ts';

const LOOK_MS = 120_000;
const TAIL = 300;

/** Never rejects: that it could not look is a finding. */
export async function lookAtHome(context: Context, fix: boolean): Promise<Checked[]> {
  const main = join(context.root, 'host', 'doctor', 'main.ts');
  const argv = [process.execPath, main, ...(fix ? ['--fix'] : [])];
  if (context.uid !== 0) return run(context, argv);
  const user = findServiceUser();
  if (user === null)
    return [{ fine: `no host has run here yet: the first start makes user ${SERVICE_USER}`, findings: [] }];
  if (!canRead(user, [main, process.execPath])) {
    const what = `User ${SERVICE_USER}, as which the host runs, cannot read ${context.root}. Put the checkout where everyone may read it.`;
    return one({
      id: 'checkout-shut',
      severity: 'broken',
      what,
      next: 'cp -a . /opt/halfdoor && /opt/halfdoor/halfdoor doctor',
    });
  }
  return run(context, asUser(user, argv));
}

const one = (finding: Finding): Checked[] => [{ fine: '', findings: [finding] }];

async function run({ env, home, uid }: Context, argv: readonly string[]): Promise<Checked[]> {
  // Without the keys, which it has no use for, and the cache of a home that may not be ours.
  const { ANTHROPIC_API_KEY: _, OPENAI_API_KEY: __, NODE_COMPILE_CACHE: ___, ...rest } = hostEnv(env, home, uid);
  const [file = '', ...args] = argv;
  const child = spawn(file, args, { cwd: '/', env: rest, stdio: ['ignore', 'pipe', 'pipe'], timeout: LOOK_MS });
  let [out, err] = ['', ''];
  child.stdout.on('data', (part) => (out += String(part)));
  child.stderr.on('data', (part) => (err += String(part)));
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('close', resolve);
  });
  if (code === 0) return JSON.parse(out) as Checked[];
  const why =
    err.trim() === '' ? `it ended with ${code}` : (/^\w*Error.*$/m.exec(err)?.[0] ?? err.trim()).slice(0, TAIL);
  const what = `The home could not be looked at: ${why}.`;
  return one({ id: 'home-not-looked-at', severity: 'broken', what, next: './halfdoor doctor --fix' });
}
