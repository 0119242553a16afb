/** What stands at a path, step by step, without following anything and without opening anything. */
import { constants, lstatSync, readFileSync, realpathSync } from 'node:fs';
import { access, lstat, readlink, realpath } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Surroundings, Look } from './mountable.ts';
import { SECRET_FILES, SECRET_FOLDERS } from './secret-names.ts';

/** Every path on the way to `path`, / first and itself last. */
const stepsOf = (path: string): string[] => {
  const names = path.split('/').filter(Boolean);
  return ['/', ...names.map((_, at) => `/${names.slice(0, at + 1).join('/')}`)];
};

const identityOf = ({ dev, ino }: { dev: bigint; ino: bigint }): string => `${dev}:${ino}`;

/** `path` in its plain form. Never throws for what is or is not there. */
export async function lookAt(path: string): Promise<Look> {
  const chain: string[] = [];
  for (const at of stepsOf(path)) {
    try {
      const found = await lstat(at, { bigint: true });
      if (found.isSymbolicLink()) return { found: 'link', path, at, ...(await targetOf(path, at)) };
      if (!found.isDirectory()) return { found: 'no-folder', path, at };
      chain.push(identityOf(found));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EACCES') return { found: 'nothing', path, at };
      return { found: 'closed', path, at: join(at, '..') };
    }
  }
  const mayChange = await mayAccess(path, constants.R_OK | constants.W_OK | constants.X_OK);
  const secretFolders = await present(path, SECRET_FOLDERS, 'folder');
  const secretFiles = await present(path, SECRET_FILES, 'file');
  return { found: 'folder', path, chain, mayChange, secretFolders, secretFiles };
}

async function targetOf(path: string, link: string): Promise<{ leadsTo: string; real: string | null }> {
  const leadsTo = await readlink(link).catch(() => '?');
  return { leadsTo, real: await realpath(path).catch(() => null) };
}

const mayAccess = (path: string, mode: number): Promise<boolean> =>
  access(path, mode).then(
    () => true,
    () => false,
  );

/** Asked name by name: a folder that an agent has filled is not listed. */
async function present(folder: string, names: readonly string[], type: 'folder' | 'file'): Promise<string[]> {
  const found = await Promise.all(names.map((name) => lstat(join(folder, name)).catch(() => null)));
  return names.filter((_, at) => (type === 'folder' ? found[at]?.isDirectory() : found[at]?.isFile()) ?? false);
}

/** What Halfdoor stands on, by what it is to people. A path that is not there guards nothing. */
export type Places = readonly { what: string; path: string }[];

/** The machine as it is now. */
export function lookAround(places: Places, env: { HOME?: string | undefined }): Surroundings {
  const { user, ownHome } = self(env);
  const own = [ownHome, env.HOME ?? ''].flatMap((it) => [it, realOf(it) ?? '']);
  const homes = [...own, ...passwdHomes().flatMap((it) => [it, belowReal(it)])];
  return {
    user,
    ownHome,
    homes: [...new Set(homes)].filter((it) => it.startsWith('/')),
    guarded: places.flatMap(({ what, path }) => {
      const real = realOf(path);
      return real === null
        ? []
        : [{ what, chain: stepsOf(real).map((it) => identityOf(lstatSync(it, { bigint: true }))) }];
    }),
    mounts: parseMounts(readOr('/proc/self/mountinfo')),
  };
}

/** A user without an entry, as containers have them, is called by its number. */
function self(env: { HOME?: string | undefined }): { user: string; ownHome: string } {
  try {
    const { username, homedir } = userInfo();
    return { user: username, ownHome: homedir };
  } catch {
    return { user: String(process.getuid?.()), ownHome: env.HOME ?? '' };
  }
}

/** Only what is above is asked: a home that is mounted when somebody looks at it is left alone. */
const belowReal = (home: string): string => join(realOf(dirname(home)) ?? dirname(home), basename(home));

function realOf(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

const passwdHomes = (): string[] =>
  readOr('/etc/passwd')
    .split('\n')
    .flatMap((line) => line.split(':')[5] ?? []);

/** proc(5), /proc/pid/mountinfo: the fifth word is the mount point, the word behind ` - ` the type. */
export function parseMounts(mountinfo: string): { path: string; type: string }[] {
  return mountinfo.split('\n').flatMap((line) => {
    const path = line.split(' ')[4];
    const type = line.split(' - ')[1]?.split(' ')[0];
    if (path === undefined || type === undefined) return [];
    const plain = path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
    return [{ path: plain, type }];
  });
}
