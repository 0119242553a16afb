/** host.log as it grows. The folder may belong to another user than the reader: no link is followed, no pipe waited for. */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { Failure } from '../failure.ts';

const CHUNK_BYTES = 64 * 1024;
/** How far back the last lines are looked for. */
const TAIL_BYTES = 8 * 1024 * 1024;
/** A line without an end is shown in pieces of this size. */
const LINE_CHARS = 1024 * 1024;

/** Where reading goes on. `inode` tells a file that was put in its place. */
type Place = { inode: number; offset: number; rest: string; decoder: StringDecoder };

export class LogFile {
  readonly #path: string;
  readonly #owner: number;
  #place: Place | null = null;

  /** `owner`: the uid it must belong to. */
  constructor(path: string, owner: number) {
    this.#path = path;
    this.#owner = owner;
  }

  /** The last `count` lines; null when there is no file. Throws `Failure` when it is not a regular file of the owner's. */
  last(count: number): string[] | null {
    return this.#open((fd, { ino, size }) => {
      const start = Math.max(0, size - TAIL_BYTES);
      this.#place = begin(ino, start);
      const lines = this.#read(fd);
      return (start > 0 ? lines.slice(1) : lines).slice(Math.max(0, lines.length - count));
    });
  }

  /** Whole lines that came since; from the start after it was cut short or replaced. */
  more(): string[] {
    const lines = this.#open((fd, { ino, size }) => {
      const { inode, offset } = this.#place ?? { inode: 0, offset: 0 };
      if (inode !== ino || size < offset) this.#place = begin(ino, 0);
      return this.#read(fd);
    });
    return lines ?? [];
  }

  #open<T>(use: (fd: number, stats: Stats) => T): T | null {
    let fd: number;
    try {
      fd = openSync(this.#path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return null;
      throw new Failure(`${this.#path} cannot be read (${code})`, 'Find out why: ./halfdoor doctor');
    }
    try {
      const stats = fstatSync(fd);
      if (!stats.isFile() || stats.uid !== this.#owner) {
        throw new Failure(`${this.#path} is not a log that a host wrote`, `Look at it: ls -l ${this.#path}`);
      }
      return use(fd, stats);
    } finally {
      closeSync(fd);
    }
  }

  #read(fd: number): string[] {
    const place = this.#place ?? begin(0, 0);
    const bytes = Buffer.alloc(CHUNK_BYTES);
    const lines: string[] = [];
    for (;;) {
      const read = readSync(fd, bytes, 0, CHUNK_BYTES, place.offset);
      if (read === 0) return lines;
      place.offset += read;
      const parts = (place.rest + place.decoder.write(bytes.subarray(0, read))).split('\n');
      place.rest = parts.pop() ?? '';
      lines.push(...parts);
      if (place.rest.length > LINE_CHARS) lines.push(place.rest.slice(0, LINE_CHARS));
      if (place.rest.length > LINE_CHARS) place.rest = place.rest.slice(LINE_CHARS);
    }
  }
}

const begin = (inode: number, offset: number): Place => ({
  inode,
  offset,
  rest: '',
  decoder: new StringDecoder('utf8'),
});
