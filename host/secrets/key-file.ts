/** <home>/secrets.key: 32 random bytes that open what central keeps sealed. Made once; readable by its owner alone. */
import { closeSync, constants, fstatSync, fsyncSync, linkSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Durable } from '@halfdoor/protocol/durable';
import { Refusal } from '../refusal.ts';

export const KEY_BYTES = 32;

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants;

/** Null when there is none. Throws `Refusal` when it is not what was made here: another's, open to others, cut off. */
export function readKey(path: string, uid: number): Buffer | null {
  let fd: number;
  try {
    fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw refused(path, `cannot be opened (${(error as NodeJS.ErrnoException).code})`, lookAt(path));
  }
  try {
    const stat = fstatSync(fd);
    const { size, mode, uid: owner } = stat;
    if (!stat.isFile()) throw refused(path, 'is not a file', lookAt(path));
    if (owner !== uid) throw refused(path, `belongs to user ${owner}, not to the host's user ${uid}`, lookAt(path));
    if ((mode & 0o077) !== 0) throw refused(path, 'can be read by others', `Run: chmod 600 ${path}`);
    const key = Buffer.alloc(KEY_BYTES);
    if (size === KEY_BYTES && readSync(fd, key, 0, KEY_BYTES, 0) === KEY_BYTES) return key;
    throw refused(path, `holds ${size} bytes instead of ${KEY_BYTES}`, lookAt(path));
  } finally {
    closeSync(fd);
  }
}

/** Makes the file whole under another name first, so that a crash leaves it whole or not there. Throws when it is there. */
export function makeKey(path: string, random: (bytes: number) => Buffer, durable: Durable): Buffer {
  const key = random(KEY_BYTES);
  const half = `${path}.new`;
  durable('secrets-key', () => {
    rmSync(half, { force: true });
    const fd = openSync(half, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      writeSync(fd, key);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    linkSync(half, path);
    rmSync(half);
    const folder = openSync(dirname(path), 'r');
    fsyncSync(folder);
    closeSync(folder);
  });
  return key;
}

const refused = (path: string, what: string, next: string): Refusal =>
  new Refusal('unavailable', `the key of the secrets, ${path}, ${what}`, next);

const lookAt = (path: string): string =>
  `Put back the file that was there. If it is lost: remove ${path}, start the host again, set each secret again.`;
