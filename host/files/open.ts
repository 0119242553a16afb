/**
 * How a file is opened that an agent may have put there: by the reader process alone. Every step of the way is pinned by
 * a descriptor before it is looked at, so what was looked at is what is read, whatever is swapped meanwhile.
 */
import { closeSync, constants, fstatSync, openSync, type BigIntStats } from 'node:fs';

export type Failure = 'gone' | 'refused' | 'too-large';

/** Why it is not read. */
export class NotOpened extends Error {
  readonly failure: Failure;
  constructor(failure: Failure, detail: string) {
    super(detail);
    this.name = 'NotOpened';
    this.failure = failure;
  }
}

/** Linux: names a file without opening it, so that no pipe waits and no device notices. Node has no name for it. */
const O_PATH = 0o10000000;
const PINNED = O_PATH | constants.O_NOFOLLOW;
const READ = constants.O_RDONLY | constants.O_NONBLOCK;

/**
 * The plain file `folders…/name` below `root`, open to read; the caller closes it. No link is followed after `root`, and
 * a file that has a second name, or more than `maxBytes`, is refused. Throws `NotOpened`.
 */
export function openPlain(
  root: string,
  folders: readonly string[],
  name: string,
  maxBytes: number,
): { fd: number; stat: BigIntStats } {
  let at = openSync(root, O_PATH | constants.O_DIRECTORY);
  try {
    for (const folder of folders) at = stepInto(at, folder);
    at = replaced(at, pin(at, name, PINNED));
    const stat = fstatSync(at, { bigint: true });
    check(stat, BigInt(maxBytes));
    return { fd: openSync(`/proc/self/fd/${at}`, READ), stat };
  } finally {
    closeSync(at);
  }
}

const stepInto = (at: number, folder: string): number => replaced(at, pin(at, folder, PINNED | constants.O_DIRECTORY));

function replaced(before: number, next: number): number {
  closeSync(before);
  return next;
}

function pin(at: number, name: string, flags: number): number {
  try {
    return openSync(`/proc/self/fd/${at}/${name}`, flags);
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'ENOENT') throw new NotOpened('gone', 'there is no such file');
    throw new NotOpened('refused', `it cannot be opened (${code ?? 'unknown'})`);
  }
}

function check(stat: BigIntStats, maxBytes: bigint): void {
  if (stat.isSymbolicLink()) throw new NotOpened('refused', 'it is a link');
  if (!stat.isFile()) throw new NotOpened('refused', 'it is not a plain file');
  if (stat.nlink > 1n) throw new NotOpened('refused', 'it has a second name');
  // A hole counts like what is written: copied, it takes as much.
  if (stat.size > maxBytes)
    throw new NotOpened('too-large', `it has ${stat.size} bytes; at most ${maxBytes} are taken`);
}
