/** Whose the home is, and who else could read what lies in it. */
import { accessSync, chmodSync, constants, existsSync, lstatSync, readFileSync, statSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Home } from '../home.ts';
import type { Check, Found } from './check.ts';

const OTHERS = 0o077;
/** In a home that nobody else can enter these are shut once more: backups and moves keep modes. */
const PRIVATE = ['central.db', 'central.db-wal', 'central.db-shm', 'secrets.key'];

export type FolderSeen =
  | { kind: 'missing' }
  | { kind: 'folder' | 'other'; uid: number; mode: number; writable: boolean };

export const homeFolder = (home: Home, uid: number): Check => ({
  name: 'the home and who may read it',
  look: () => {
    const seen = seeFolder(home.root);
    const found = judgeFolder(home.root, seen, uid, nameOf);
    const inside = seen.kind === 'folder' && found.every(({ severity }) => severity !== 'broken') ? PRIVATE : [];
    return {
      fine:
        seen.kind === 'missing'
          ? `no home at ${home.root} yet: the first start makes it`
          : `home ${home.root} is private`,
      found: [...found, ...inside.flatMap((name) => judgeFile(join(home.root, name), uid))],
    };
  },
});

/** The nearest folder that exists, from `path` upwards. */
export function nearestFolder(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : nearestFolder(dirname(path));
}

function seeFolder(path: string): FolderSeen {
  const stats = see(path, statSync); // it may be a link: to where it leads is this user's own affair
  if (!stats) return { kind: 'missing' };
  const writable = canUse(path);
  return { kind: stats.isDirectory() ? 'folder' : 'other', uid: stats.uid, mode: stats.mode & 0o777, writable };
}

/** Pure but for `mend`. `nameOf` tells what a uid is called. */
export function judgeFolder(path: string, seen: FolderSeen, uid: number, who: (uid: number) => string): Found[] {
  if (seen.kind === 'missing') {
    if (canUse(nearestFolder(path))) return [];
    const what = `There is no home at ${path}, and ${who(uid)} cannot make one in ${nearestFolder(path)}.`;
    return [
      { id: 'home-not-made', severity: 'broken', what, next: 'HALFDOOR_HOME=~/.halfdoor ./halfdoor start --detach' },
    ];
  }
  if (seen.kind === 'other') {
    const what = `The home ${path} is not a folder.`;
    return [{ id: 'home-no-folder', severity: 'broken', what, next: `mv ${path} ${path}.old` }];
  }
  if (seen.uid !== uid) {
    const what = `The home ${path} belongs to ${who(seen.uid)}, and the host runs as ${who(uid)}: it cannot write there.`;
    return [{ id: 'home-not-ours', severity: 'broken', what, next: `sudo chown -R ${uid} ${path}` }];
  }
  if ((seen.mode & OTHERS) !== 0) {
    const what = `Other users can look into the home ${path} (mode ${octal(seen.mode)}).`;
    const mend = chmodTo(path, 0o700);
    return [{ id: 'home-open', severity: 'warning', what, next: `chmod 700 ${path}`, mend }];
  }
  if (!seen.writable) {
    const what = `The home ${path} cannot be written.`;
    return [{ id: 'home-read-only', severity: 'broken', what, next: `chmod 700 ${path} && findmnt -T ${path}` }];
  }
  return [];
}

function judgeFile(path: string, uid: number): Found[] {
  const stats = see(path);
  if (!stats) return [];
  if (!stats.isFile()) {
    return [
      {
        id: `no-file:${path}`,
        severity: 'broken',
        what: `${path} is not a regular file.`,
        next: `mv ${path} ${path}.old`,
      },
    ];
  }
  if (stats.uid !== uid) {
    const what = `${path} belongs to ${nameOf(stats.uid)}, and the host runs as ${nameOf(uid)}.`;
    return [{ id: `not-ours:${path}`, severity: 'broken', what, next: `sudo chown ${uid} ${path}` }];
  }
  if ((stats.mode & OTHERS) === 0) return [];
  const what = `${path} can be read by others (mode ${octal(stats.mode & 0o777)}).`;
  return [{ id: `open:${path}`, severity: 'warning', what, next: `chmod 600 ${path}`, mend: chmodTo(path, 0o600) }];
}

const chmodTo = (path: string, mode: number) => (): string => {
  chmodSync(path, mode);
  return `set the mode of ${path} to ${octal(mode)}`;
};

function see(path: string, look: typeof lstatSync = lstatSync): Stats | null {
  try {
    return look(path, { throwIfNoEntry: false }) ?? null;
  } catch {
    return null; // a folder above it is shut: the nearest one that is not tells the rest
  }
}

function canUse(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const octal = (mode: number): string => mode.toString(8).padStart(4, '0');

/** `user NAME`, or `uid N` for one without a name. */
export function nameOf(uid: number): string {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((it) => it.split(':')[2] === String(uid));
  return line === undefined ? `uid ${uid}` : `user ${line.split(':', 1)[0]}`;
}
