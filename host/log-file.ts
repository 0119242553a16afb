/**
 * host.log, kept from growing for ever. The host of the CLI has it as its standard output, opened to append by whoever
 * started it; so the host itself, and nobody else, can rotate it: the file is copied and then cut to nothing in place. Node
 * writes to a file at once, so no line of ours comes in between.
 */
import { copyFileSync, existsSync, fstatSync, ftruncateSync, lstatSync, renameSync } from 'node:fs';
import type { Durable } from '@halfdoor/protocol/durable';

export type LogFile = {
  /** Open for appending; rotated only if it is the file at `path`. */
  fd: number;
  path: string;
  bytes: number;
  /** `path` itself and `path.1`, the newest of the older ones, up to `path.<files - 1>`. */
  files: number;
  write(line: string): void;
};

/** Writes a line, then rotates if the file is full. A rotation that fails is tried again after as many bytes more. */
export function rotating(file: LogFile, durable: Durable): (line: string) => void {
  let size = sizeIfOurs(file);
  if (size === null) return (line) => file.write(line);
  const rotateIfFull = (): void => {
    if (size === null || size < file.bytes) return;
    size = 0;
    try {
      durable('rotate-log', () => rotate(file));
    } catch (error) {
      file.write(`${JSON.stringify({ level: 'warn', scope: 'log', message: `not rotated: ${String(error)}` })}\n`);
    }
  };
  rotateIfFull();
  return (line) => {
    file.write(line);
    size = (size ?? 0) + Buffer.byteLength(line);
    rotateIfFull();
  };
}

/** Null for a terminal, a pipe, or a file that somebody else put in the place of the log. */
function sizeIfOurs({ fd, path }: LogFile): number | null {
  const open = fstatSync(fd);
  const named = lstatSync(path, { throwIfNoEntry: false });
  if (!open.isFile() || open.ino !== named?.ino || open.dev !== named.dev) return null;
  return open.size;
}

function rotate({ fd, path, files }: LogFile): void {
  for (let n = files - 2; n >= 1; n--) {
    if (existsSync(`${path}.${n}`)) renameSync(`${path}.${n}`, `${path}.${n + 1}`);
  }
  // A crash between these two leaves the same lines in both files, and loses none.
  copyFileSync(path, `${path}.1`);
  ftruncateSync(fd, 0);
}
