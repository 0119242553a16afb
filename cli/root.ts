/** What root must have ready before a host can run as the service user: a readable checkout and a home of its own. */
import { closeSync, constants, fchmodSync, fchownSync, fstatSync, mkdirSync, openSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure } from './failure.ts';
import { canRead, ensureServiceUser, SERVICE_USER, type ServiceUser } from './service-user.ts';

export type Programs = { node: string; main: string; bun: string; dist: string };

/** Makes user and home, and tries as that user that everything can be read. Throws `Failure`. */
export function prepareAsRoot(home: string, root: string, programs: Programs): ServiceUser {
  const user = ensureServiceUser();
  const { node, main, bun, dist } = programs;
  if (!canRead(user, [main, join(root, 'package.json'), bun, dist])) {
    throw new Failure(
      `user ${SERVICE_USER}, as which the host runs, cannot read ${root}`,
      'Put the checkout where everyone may read it, for example: cp -a . /opt/halfdoor && /opt/halfdoor/halfdoor start',
    );
  }
  if (!canRead(user, [node])) {
    throw new Failure(
      `user ${SERVICE_USER}, as which the host runs, cannot read ${node}`,
      'Install Node where everyone may read it, or take it out of PATH: then the pinned one is used.',
    );
  }
  handOver(home, user);
  return user;
}

/** A new or empty folder becomes the user's; one with something in it must be the user's already. */
export function handOver(home: string, user: ServiceUser): void {
  const refuse = (what: string): never => {
    throw new Failure(`${home} ${what}`, 'Give HALFDOOR_HOME as a new or empty folder.');
  };
  mkdirSync(dirname(home), { recursive: true });
  try {
    mkdirSync(home, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  // By descriptor: what was looked at is what changes hands.
  const fd = openFolder(home) ?? refuse('is not a folder');
  try {
    if (fstatSync(fd).uid !== user.uid) {
      if (readdirSync(home).length > 0) refuse(`is not empty and does not belong to user ${SERVICE_USER}`);
      fchownSync(fd, user.uid, user.gid);
      fchmodSync(fd, 0o700);
    }
  } finally {
    closeSync(fd);
  }
  if (!canRead(user, [home])) {
    throw new Failure(
      `user ${SERVICE_USER}, as which the host runs, cannot reach ${home}`,
      'Choose a home below folders that everyone may pass, for example under /var/lib.',
    );
  }
}

function openFolder(path: string): number | null {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch {
    return null;
  }
}
