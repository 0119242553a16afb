/**
 * Which folders may be given to an agent. It is a hole in the wall made on purpose, so whatever is not plainly a
 * person's own folder is refused: what the machine runs on, what Halfdoor runs on, homes, credentials, and any path
 * that could lead somewhere else tomorrow. Decides only; folder-look.ts looks.
 */
import { dirname } from 'node:path';
import { LIMITS } from '@halfdoor/protocol/limits';
import { shellWord } from '../shell-word.ts';
import { SECRET_STEP, SECRET_STEPS } from './secret-names.ts';

export type Fault = { fault: string; next: string };

/** What stands at a path, nothing followed on the way. `at` is the step that ended the look. */
export type Look =
  | { found: 'nothing' | 'closed' | 'no-folder'; path: string; at: string }
  | { found: 'link'; path: string; at: string; leadsTo: string; real: string | null }
  | FolderLook;
export type FolderLook = {
  found: 'folder';
  path: string;
  /** `device:inode` of every step from / to the folder itself. */
  chain: readonly string[];
  /** Whether the host's user can enter it, read it and write in it. */
  mayChange: boolean;
  secretFolders: readonly string[];
  secretFiles: readonly string[];
};

/** What of this machine the decision needs to know. */
export type Surroundings = {
  /** The host's user. */
  user: string;
  ownHome: string;
  /** Home folders of everybody. */
  homes: readonly string[];
  /** What Halfdoor itself stands on; `chain` as in a look. */
  guarded: readonly { what: string; chain: readonly string[] }[];
  mounts: readonly { path: string; type: string }[];
};

/** The path in its plain form, or why it is none. */
export function plainPath(path: string): { path: string } | Fault {
  const next = 'Give the whole path of a folder, for example /srv/project.';
  if (!path.startsWith('/')) return { fault: 'the path of a folder begins with /', next };
  if (Buffer.byteLength(path) > LIMITS.pathBytes)
    return { fault: `a path has at most ${LIMITS.pathBytes} bytes`, next };
  if (!path.isWellFormed() || /\p{Cc}|\ufffd/u.test(path)) return { fault: 'the path holds control characters', next };
  const steps = path.split('/').filter((step) => step !== '' && step !== '.');
  if (steps.includes('..')) return { fault: 'the path holds ..', next };
  return { path: `/${steps.join('/')}` };
}

/** Null when the folder may be given. */
export function refusalOf(look: Look, around: Surroundings): Fault | null {
  if (look.found !== 'folder') return noFolder(look, around);
  for (const rule of [system, shared, home, guarded, secret, mounted, closed]) {
    const fault = rule(look, around);
    if (fault !== null) return fault;
  }
  return null;
}

/** `path` or something below it. */
export const isWithin = (path: string, folder: string): boolean => path === folder || isBelow(path, folder);

export const isBelow = (path: string, folder: string): boolean =>
  path !== folder && path.startsWith(folder === '/' ? '/' : `${folder}/`);

const ANOTHER = 'Give a folder that holds the work and nothing else, for example /srv/project.';

function noFolder(look: Exclude<Look, FolderLook>, { user }: Surroundings): Fault {
  switch (look.found) {
    case 'nothing':
      return { fault: `there is no ${look.at}`, next: 'Make the folder first, or mend the path.' };
    case 'no-folder':
      return { fault: `${look.at} is not a folder`, next: 'Give the folder that holds it.' };
    case 'closed':
      return {
        fault: `user ${user}, as which the host runs, cannot enter ${look.at}`,
        next: `Let that user pass: setfacl -m u:${user}:x ${shellWord(look.at)}`,
      };
    case 'link': {
      const to = look.real === null ? 'It leads to nothing.' : `Give the real path: ${shellWord(look.real)}`;
      return { fault: `${look.at} is a link to ${look.leadsTo}, and tomorrow it may lead elsewhere`, next: to };
    }
  }
}

/** Trees of the machine's own. Below the last ones lie homes and sites too. */
const SYSTEM =
  '/bin /boot /dev /etc /lib /lib32 /lib64 /libx32 /nix /proc /run /sbin /snap /sys /usr /Library /System'.split(' ');
const SYSTEM_WITH_WORK = ['/root', '/var'];
const WORK_IN_SYSTEM = ['/var/www', '/var/tmp'];

function system({ path }: FolderLook, { ownHome }: Surroundings): Fault | null {
  if (path === '/') return { fault: '/ is the whole machine', next: ANOTHER };
  const tree =
    SYSTEM.find((it) => isWithin(path, it)) ??
    SYSTEM_WITH_WORK.find((it) => isWithin(path, it) && ![ownHome, ...WORK_IN_SYSTEM].some((of) => isBelow(path, of)));
  if (tree === undefined) return null;
  return {
    fault: tree === path ? `${path} is the system's` : `${path} lies in ${tree}, which is the system's`,
    next: ANOTHER,
  };
}

/** Where every program puts its sockets: who reaches the one of a terminal or of an agent of keys is its user. */
const TEMPORARY = ['/tmp', '/var/tmp'];
const OF_PROGRAMS = /^(\.|ssh-|tmux-|systemd-|snap[.-]|dbus-|pulse-|halfdoor-\d)/;

function shared({ path }: FolderLook): Fault | null {
  const place = TEMPORARY.find((it) => isWithin(path, it));
  if (place === undefined) return null;
  const step = path.slice(place.length + 1).split('/')[0] ?? '';
  if (step !== '' && !OF_PROGRAMS.test(step)) return null;
  return { fault: `${path} is where programs keep their sockets and files`, next: `Make a folder: ${place}/project` };
}

function home({ path }: FolderLook, { homes }: Surroundings): Fault | null {
  const found = homes.find((it) => isWithin(it, path)) ?? (['/home', '/Users'].includes(dirname(path)) ? path : null);
  if (found === null) return null;
  const what = found === path ? `${path} is somebody's home` : `${path} holds the home ${found}`;
  return { fault: `${what}, with all keys and settings in it`, next: 'Give a folder below it.' };
}

/** By what the folders are, not by how they are called. */
function guarded({ path, chain }: FolderLook, around: Surroundings): Fault | null {
  const self = chain.at(-1) ?? '';
  for (const { what, chain: theirs } of around.guarded) {
    const target = theirs.at(-1) ?? '';
    if (self === target) return { fault: `${path} is ${what}`, next: ANOTHER };
    if (chain.includes(target)) return { fault: `${path} lies in ${what}`, next: ANOTHER };
    if (theirs.includes(self)) return { fault: `${path} holds ${what}`, next: ANOTHER };
  }
  return null;
}

function secret({ path, secretFolders }: FolderLook): Fault | null {
  const step = path.split('/').find((it) => SECRET_STEP.test(it)) ?? SECRET_STEPS.exec(path)?.[0];
  if (step !== undefined) return { fault: `${path} looks like a place of credentials (${step})`, next: ANOTHER };
  const [first] = secretFolders;
  if (first === undefined) return null;
  return { fault: `${path} holds ${first}, a folder of credentials`, next: 'Move that away, or give a folder below.' };
}

/** File systems that show the machine rather than files. */
const PSEUDO = /^(proc|sysfs|devtmpfs|devpts|cgroup2?|securityfs|debugfs|tracefs|bpf|configfs|mqueue|fusectl|pstore)$/;

/** A mount below comes along, and with a /proc of the host every process of its user. */
function mounted({ path }: FolderLook, { mounts }: Surroundings): Fault | null {
  const below = mounts.find((it) => isBelow(it.path, path));
  if (below) {
    const next = 'Unmount it, or give a folder that holds none.';
    return { fault: `another file system is mounted inside, at ${below.path}`, next };
  }
  const over = mounts.filter((it) => isWithin(path, it.path)).sort((a, b) => a.path.length - b.path.length);
  const type = over.at(-1)?.type ?? '';
  return PSEUDO.test(type) ? { fault: `${path} is no folder of files (${type})`, next: ANOTHER } : null;
}

function closed({ path, mayChange }: FolderLook, { user }: Surroundings): Fault | null {
  if (mayChange) return null;
  return {
    fault: `user ${user}, as which the host runs, cannot read and write in ${path}`,
    next: `Let that user in: setfacl -R -m u:${user}:rwX ${shellWord(path)}, or run the host as the folder's owner.`,
  };
}
