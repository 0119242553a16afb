/** The host as a process: what it is started with, by whom, and what it must not inherit. */
import { closeSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HOST_NODE_FLAGS } from '../host/home.ts';
import type { Context } from './context.ts';
import { Failure } from './failure.ts';
import { prepareAsRoot } from './root.ts';
import { asUser, SERVICE_HOME } from './service-user.ts';

const HANDED_ON = [
  'HOME',
  'PATH',
  'LANG',
  'TZ',
  'XDG_RUNTIME_DIR',
  'ANTHROPIC_API_KEY',
  'OPENAI_API_KEY',
  'NODE_EXTRA_CA_CERTS',
  'DOCKER_HOST',
  'DOCKER_CONTEXT',
  'DOCKER_CONFIG',
] as const;

/** By name: keys travel here and never in argv. Root's own HOME and XDG_RUNTIME_DIR stay behind. */
export function hostEnv(env: NodeJS.ProcessEnv, home: string, uid: number): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    const wanted = name.startsWith('HALFDOOR_') || HANDED_ON.some((it) => it === name);
    if (wanted && value !== undefined) picked[name] = value;
  }
  if (uid === 0) {
    picked.HOME = SERVICE_HOME;
    delete picked.XDG_RUNTIME_DIR;
  }
  return { ...picked, HALFDOOR_HOME: home, NODE_COMPILE_CACHE: join(home, 'cache', 'node') };
}

/** argv and environment of a host for this home. As root, the user and the home are made ready first. */
export function hostCommand(context: Context): { argv: string[]; env: Record<string, string> } {
  const { env, root, home, uid } = context;
  const { HALFDOOR_BUN: bun, HALFDOOR_DIST: dist } = env;
  if (!bun || !dist) throw new Failure('HALFDOOR_BUN or HALFDOOR_DIST is not set', 'Start Halfdoor by ./halfdoor.');
  const main = join(root, 'host', 'main.ts');
  const argv = [process.execPath, ...HOST_NODE_FLAGS, main];
  if (uid !== 0) return { argv, env: hostEnv(env, home, uid) };
  const user = prepareAsRoot(home, root, { node: process.execPath, main, bun, dist });
  return { argv: asUser(user, argv), env: hostEnv(env, home, uid) };
}

const CLOEXEC = 0o2000000;

/** Closes every descriptor above 2 that a child would inherit. Ours have the flag; what lacks it came from our caller. */
export function closeInherited(): void {
  for (const fd of openDescriptors()) {
    if (fd <= 2) continue;
    try {
      const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0';
      if ((Number.parseInt(flags, 8) & CLOEXEC) === 0) closeSync(fd);
    } catch {
      // Closed meanwhile: it was the one that read the folder.
    }
  }
}

function openDescriptors(): number[] {
  try {
    return readdirSync('/proc/self/fd').map(Number);
  } catch {
    return []; // no /proc here
  }
}
