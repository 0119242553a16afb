/** What a host needs before it can even open its log: a home of its user's, on a disk with room. */
import { existsSync, mkdirSync, statfsSync, statSync } from 'node:fs';
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
    mkdirSync(home, { recursive: true, mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOSPC' ? 'the disk is full' : code;
    throw new Failure(`no home can be made at ${home} (${why})`, `Give HALFDOOR_HOME as a folder of yours. ${LOOK}`);
  }
  const owner = statSync(home).uid;
  if (owner === uid) return;
  throw new Failure(
    `the home ${home} belongs to another user (uid ${owner})`,
    `Start it as that user, or give HALFDOOR_HOME as a folder of yours. ${LOOK}`,
  );
}
