/** out/files/: copies of what the agent sends, each on the disk before the message that names it. The host takes its own. */
import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, join, resolve, sep } from 'node:path';
import type { Durable } from '@halfdoor/protocol/durable';
import { sentName } from '@halfdoor/protocol/file';
import { LIMITS } from '@halfdoor/protocol/limits';

export type OutFilesDeps = {
  folder: string;
  durable: Durable;
  cwd: string;
  /** Where what is sent may lie: the agent's own folders. */
  roots: readonly string[];
  /** Names that messages speak of which the host has not collected yet. */
  awaited(): ReadonlySet<string>;
};

export class OutFiles {
  readonly #deps: OutFilesDeps;

  constructor(deps: OutFilesDeps) {
    this.#deps = deps;
  }

  /** Removes what the host has its own copy of, or was never sent. What somebody closed stays: a run must not end by it. */
  clean(): void {
    const awaited = this.#deps.awaited();
    for (const name of unless(() => this.#names()) ?? []) {
      if (!awaited.has(name)) unless(() => rmSync(join(this.#deps.folder, name), { recursive: true, force: true }));
    }
  }

  /** Copies the file at `path`; the same bytes under the same name are one copy. Returns its name. Throws an Error for the model to read. */
  place(path: string): { name: string; bytes: number } {
    const from = this.#within(path);
    this.clean();
    const fd = openSync(from, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile()) throw new Error(`${path} is not a plain file`);
      this.#checkSize(path, stat.size);
      const name = sentName(basename(from), sha256Of(fd));
      if (!this.#names().includes(name)) this.#copy(fd, name);
      return { name, bytes: stat.size };
    } finally {
      closeSync(fd);
    }
  }

  #within(path: string): string {
    const { cwd, roots } = this.#deps;
    let real: string;
    try {
      real = realpathSync(resolve(cwd, path));
    } catch {
      throw new Error(`there is no file ${path}`);
    }
    if (roots.some((root) => real.startsWith(`${realpathSync(root)}${sep}`))) return real;
    throw new Error(`only files in ${roots.join(' or ')} can be sent; copy it there first`);
  }

  #checkSize(path: string, bytes: number): void {
    const { outboundFileBytes, outFilesBytes } = LIMITS;
    if (bytes > outboundFileBytes) {
      throw new Error(`${path} has ${bytes} bytes; at most ${outboundFileBytes} can be sent. Send it in parts`);
    }
    const waiting = this.#names().reduce((sum, name) => sum + this.#bytesOf(name), 0);
    if (waiting + bytes <= outFilesBytes) return;
    throw new Error(
      `${waiting} bytes of files are being sent already, and at most ${outFilesBytes} at once. Send it in your next turn`,
    );
  }

  #copy(from: number, name: string): void {
    const { folder, durable } = this.#deps;
    durable('out-file', () => {
      const path = join(folder, name);
      const to = openSync(path, 'wx', 0o600);
      try {
        const piece = Buffer.alloc(LIMITS.pieceBytes);
        for (let at = 0, got = readSync(from, piece, 0, piece.length, at); got > 0;) {
          writeSync(to, piece, 0, got);
          at += got;
          got = readSync(from, piece, 0, piece.length, at);
        }
        fsyncSync(to);
      } catch (error) {
        rmSync(path, { force: true });
        throw error;
      } finally {
        closeSync(to);
      }
      syncFolder(folder);
    });
  }

  #names(): string[] {
    return readdirSync(this.#deps.folder);
  }

  #bytesOf(name: string): number {
    return statSync(join(this.#deps.folder, name), { throwIfNoEntry: false })?.size ?? 0;
  }
}

/** What `effect` gives; undefined where it may not. */
function unless<T>(effect: () => T): T | undefined {
  try {
    return effect();
  } catch {
    return undefined;
  }
}

function sha256Of(fd: number): string {
  const hash = createHash('sha256');
  const piece = Buffer.alloc(LIMITS.pieceBytes);
  for (let at = 0, got = readSync(fd, piece, 0, piece.length, at); got > 0;) {
    hash.update(piece.subarray(0, got));
    at += got;
    got = readSync(fd, piece, 0, piece.length, at);
  }
  return hash.digest('hex');
}

function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  fsyncSync(fd);
  closeSync(fd);
}
