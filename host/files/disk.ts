/** What files/ asks of the disk, all of it beside the loop: nobody waits for a large file but those it is for. */
import { copyFile, link, mkdir, open, rm, stat } from 'node:fs/promises';

export type Disk = {
  makeFolder(path: string): Promise<void>;
  bytesOf(path: string): Promise<number>;
  /** A new file, written and synced whole. Returns its bytes. */
  write(path: string, pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<number>;
  /** The same bytes under another name, synced. */
  take(from: string, to: string): Promise<void>;
  /** What stands in the folder, after a power cut too. */
  sync(path: string): Promise<void>;
  /** Of files the host itself made, or nothing. */
  remove(path: string): Promise<void>;
};

/** Nobody writes them again, the host neither. */
const MODE = 0o400;
/** Another disk, a disk without second names, or too many of them. */
const NO_LINK: ReadonlySet<string> = new Set(['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP']);

export const isNoLink = (error: unknown): boolean => NO_LINK.has((error as { code?: string }).code ?? '');

export const realDisk = (): Disk => ({
  makeFolder: async (path) => void (await mkdir(path, { recursive: true, mode: 0o700 })),
  bytesOf: async (path) => (await stat(path)).size,
  write: writeNew,
  take: async (from, to) => {
    await link(from, to).catch((error: unknown) => (isNoLink(error) ? copyFile(from, to) : Promise.reject(error)));
    await syncAt(to);
  },
  sync: syncAt,
  remove: (path) => rm(path, { recursive: true, force: true }),
});

async function writeNew(path: string, pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<number> {
  const file = await open(path, 'wx', MODE);
  try {
    let bytes = 0;
    for await (const piece of pieces) {
      await file.writeFile(piece);
      bytes += piece.length;
    }
    await file.sync();
    return bytes;
  } finally {
    await file.close();
  }
}

async function syncAt(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
