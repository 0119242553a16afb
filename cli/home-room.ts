/** What a host needs before it can even open its log: a home of its user's, on a disk with room. */
import { accessSync, constants, existsSync, mkdirSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Context } from './context.ts';
import { Failure } from './failure.ts';

const LOOK = 'Look: ./halfdoor doctor';
/** Below this not even an empty database can be made. */
const NEEDED_BYTES = 1024 * 1024;

/** Makes the home if it is missing; root's is made and handed over elsewhere. Throws `Failure`. */
export function ensureHome({ home, uid }: Pick<Context, 'home' | 'uid'>): void {
  if (uid !== 0) ensureOwn(home, uid);
  if (!existsSync(home)) return;
  const { bavail, bsize } = statfsSync(home);
  if (bavail * bsize < NEEDED_BYTES)
    throw new Failure(`the disk is full at ${home}: no host can start there`, `Make room. ${LOOK}`);
}

function ensureOwn(home: string, uid: number): void {
  try {
    makeFolder(home);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOSPC' ? 'the disk is full' : code;
    throw new Failure(`no home can be made at ${home} (${why})`, `Give HALFDOOR_HOME as a folder of yours. ${LOOK}`);
  }
  const owner = statSync(home).uid;
  if (owner === uid) return ensureWritable(home);
  throw new Failure(
    `the home ${home} belongs to another user (uid ${owner})`,
    `Start it as that user, or give HALFDOOR_HOME as a folder of yours. ${LOOK}`,
  );
}

/** Step by step: told to make its parents too, Node asks for ever where a file system makes none, as in /proc. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path, { mode: 0o700 });
}

function ensureWritable(home: string): void {
  try {
    accessSync(home, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    throw new Failure(`the home ${home} is yours, but may not be written`, `Run: chmod u+rwx ${home}\n${LOOK}`);
  }
}
