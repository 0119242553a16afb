/**
 * Removes folders an agent has written in, whatever they hold: links, pipes, folders nobody may enter, names that are no
 * text, trees deeper than any path is long. First they are moved out of its reach, into a folder of the host's own; then
 * what they hold is moved up there, level by level. So no path is ever longer than one step, and no link is followed.
 */
import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  fstatSync,
  chmodSync,
  readdirSync,
  renameSync,
  lstatSync,
} from 'node:fs';
import { opendir, rename, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';

const O_PATH = 0o10000000;
const FOLDER = O_PATH | constants.O_NOFOLLOW | constants.O_DIRECTORY;
/** Somebody may still be writing in there; whoever outruns this many passes over as many names is left to the next start. */
const PASSES = 100;
const PASS_NAMES = 65_536;

export class Trash {
  readonly #folder: string;
  #number = 0;
  #emptying: Promise<void> = Promise.resolve();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Takes `path` out of where it stands, at once. Nothing there is fine. */
  discard(path: string): void {
    if (!lstatSync(path, { throwIfNoEntry: false })) return;
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    renameSync(path, this.#free());
  }

  /** Resolves when everything discarded so far is gone from the disk. Rejects with what stood in the way. */
  empty(): Promise<void> {
    const done = this.#emptying.then(() => this.#empty());
    this.#emptying = done.catch(() => undefined);
    return done;
  }

  #free(): string {
    for (;;) {
      const path = join(this.#folder, String((this.#number += 1)));
      if (!lstatSync(path, { throwIfNoEntry: false })) return path;
    }
  }

  async #empty(): Promise<void> {
    for (let left = names(this.#folder); left.length > 0; left = names(this.#folder)) {
      for (const name of left) await this.#remove(join(this.#folder, name));
    }
  }

  /** What stands under a name of ours. */
  async #remove(path: string): Promise<void> {
    if (await unlinked(path)) return;
    for (let pass = 0; pass < PASSES; pass++) {
      await this.#clear(path);
      if (await isRemoved(path)) return;
    }
    throw new Error(`${path} is still being written to. It is removed at the next start of the host`);
  }

  /** Files go, folders move up beside it. */
  async #clear(path: string): Promise<void> {
    const at = openSync(path, FOLDER);
    try {
      const inside = enter(at);
      const folder = await opendir(inside, { encoding: 'buffer' as BufferEncoding });
      let seen = 0;
      for await (const entry of folder) {
        // Names as bytes: an agent need not write text.
        await this.#take(Buffer.concat([Buffer.from(`${inside}/`), entry.name as unknown as Buffer]));
        if ((seen += 1) >= PASS_NAMES) break;
      }
    } finally {
      closeSync(at);
    }
  }

  /** What was swapped or went away meanwhile is left to the next pass. */
  async #take(path: Buffer): Promise<void> {
    if (await unlinked(path)) return;
    try {
      makeMovable(path);
      await rename(path, this.#free());
    } catch (error) {
      if (!['ENOENT', 'ENOTDIR', 'ELOOP'].includes((error as { code?: string }).code ?? '')) throw error;
    }
  }
}

const names = (folder: string): string[] => (lstatSync(folder, { throwIfNoEntry: false }) ? readdirSync(folder) : []);

/** False for a folder. */
async function unlinked(path: string | Buffer): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'ENOENT') return true;
    if (code === 'EISDIR' || code === 'EPERM') return false;
    throw error;
  }
}

async function isRemoved(path: string): Promise<boolean> {
  try {
    await rmdir(path);
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOTEMPTY') return false;
    throw error;
  }
}

/** The pinned folder as a path, with a mode that lets its owner in. */
function enter(at: number): string {
  const inside = `/proc/self/fd/${at}`;
  if ((fstatSync(at).mode & 0o700) !== 0o700) chmodSync(inside, 0o700);
  return inside;
}

/** Moving a folder writes in it: its parent is another one then. */
function makeMovable(path: Buffer): void {
  const at = openSync(path, FOLDER);
  try {
    enter(at);
  } finally {
    closeSync(at);
  }
}
