/** Started by root, nothing of ours runs as root: the host gets the system user `halfdoor`. */
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readFileSync } from 'node:fs';
import { Failure } from './failure.ts';

export const SERVICE_USER = 'halfdoor';
export const SERVICE_HOME = '/var/lib/halfdoor';

/** Where root looks for programs on another user's behalf. */
const SYSTEM_PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

export type ServiceUser = { uid: number; gid: number };

/** The user, made if it is missing. Only root may call it. Throws `Failure`. */
export function ensureServiceUser(): ServiceUser {
  const found = findServiceUser() ?? addServiceUser();
  if (found.uid === 0) throw new Failure(`user ${SERVICE_USER} has uid 0`, `Remove it: userdel ${SERVICE_USER}`);
  // Not -p: the mode must be ours, whatever the umask is.
  if (mkdirSync(SERVICE_HOME, { recursive: true, mode: 0o700 }) !== undefined) {
    chmodSync(SERVICE_HOME, 0o700);
    chownSync(SERVICE_HOME, found.uid, found.gid);
  }
  return found;
}

/** The user, or null when no start of root's has made it yet. */
export function findServiceUser(): ServiceUser | null {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((it) => it.startsWith(`${SERVICE_USER}:`));
  if (line === undefined) return null;
  const [, , uid, gid] = line.split(':');
  return { uid: Number(uid), gid: Number(gid) };
}

function addServiceUser(): ServiceUser {
  const args = ['--system', '--user-group', '--no-create-home', '--home-dir', SERVICE_HOME];
  const made = spawnSync('useradd', [...args, '--shell', '/usr/sbin/nologin', SERVICE_USER], { encoding: 'utf8' });
  const found = findServiceUser(); // another start may have been first
  if (found) return found;
  throw new Failure(
    `user ${SERVICE_USER} could not be made: ${(made.error?.message ?? made.stderr).trim()}`,
    `Make a system user named ${SERVICE_USER} with home ${SERVICE_HOME}, or start Halfdoor as an ordinary user.`,
  );
}

/** argv that starts `command` as that user, without a way back. */
export const asUser = ({ uid, gid }: ServiceUser, command: readonly string[]): string[] => [
  'setpriv',
  `--reuid=${uid}`,
  `--regid=${gid}`,
  '--init-groups',
  '--inh-caps=-all',
  '--no-new-privs',
  '--',
  ...command,
];

/** Tries as that user: true if each file can be read. An absolute path each. */
export function canRead(user: ServiceUser, paths: readonly string[]): boolean {
  const script = 'for it do test -r "$it" || exit 1; done';
  const [file = '', ...args] = asUser(user, ['/bin/sh', '-c', script, 'sh', ...paths]);
  return spawnSync(file, args, { cwd: '/', env: { PATH: SYSTEM_PATH }, stdio: 'ignore' }).status === 0;
}
