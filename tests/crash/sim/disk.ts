/** The disk of a story: everything is done when it returns, so that one seed is one story. */
import { closeSync, linkSync, mkdirSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import type { Disk } from '../../../host/files/disk.ts';
import { Trash } from '../../../host/files/remove.ts';

const done = (effect: () => void): Promise<void> => Promise.try(effect);

export const simDisk = (): Disk => ({
  makeFolder: (path) => done(() => void mkdirSync(path, { recursive: true })),
  bytesOf: (path) => Promise.try(() => statSync(path).size),
  write: async (path, pieces) => {
    const fd = openSync(path, 'wx');
    let bytes = 0;
    try {
      for await (const piece of pieces) bytes += writeSync(fd, piece);
    } finally {
      closeSync(fd);
    }
    return bytes;
  },
  take: (from, to) => done(() => linkSync(from, to)),
  sync: () => Promise.resolve(),
  remove: (path) => done(() => rmSync(path, { recursive: true, force: true })),
});

/** Nobody waits for the rest of it. */
export function simTrash(folder: string): Pick<Trash, 'discard' | 'empty'> {
  const trash = new Trash(folder);
  return {
    discard: (path) => trash.discard(path),
    empty: () => done(() => rmSync(folder, { recursive: true, force: true })),
  };
}
