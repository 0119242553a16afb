/** Room where the home, the temp folder and the sockets lie. */
import { statfsSync } from 'node:fs';
import { size } from '../byte-size.ts';
import type { Check, Found } from './check.ts';
import type { Ground } from './ground.ts';
import { nearestFolder } from './home-folder.ts';

const MIB = 1024 * 1024;
const LOW_BYTES = 1024 * MIB;
const FULL_BYTES = 100 * MIB;
const LOW_INODES = 10_000;
const FULL_INODES = 1_000;

/** `files`: how many inodes there can be; 0 where a file system does not count them. */
export type Room = { path: string; device: string; freeBytes: number; files: number; freeFiles: number };

export const disk = ({ home, temp }: Pick<Ground, 'home' | 'temp'>): Check => ({
  name: 'room on the disk',
  look: () => {
    const rooms = [home.root, temp].map((path) => roomAt(nearestFolder(path)));
    const [first, second] = rooms;
    const each = first && first.device === second?.device ? [first] : rooms;
    return {
      fine: each.map((it) => `${size(it.freeBytes)} free at ${it.path}`).join(', '),
      found: each.flatMap(judgeRoom),
    };
  },
});

function roomAt(path: string): Room {
  const { type, blocks, bavail, bsize, files, ffree } = statfsSync(path);
  const device = [type, blocks, bavail, files, ffree].join();
  return { path, device, freeBytes: bavail * bsize, files, freeFiles: ffree };
}

export function judgeRoom({ path, freeBytes, files, freeFiles }: Room): Found[] {
  const next = `df -h ${path} && du -xh --max-depth=2 ${path} | sort -h | tail`;
  if (freeBytes < LOW_BYTES) {
    const full = freeBytes < FULL_BYTES;
    const what = full
      ? `The disk is full: ${size(freeBytes)} free at ${path}. No message can be accepted. Make room there.`
      : `The disk is nearly full: ${size(freeBytes)} free at ${path}. Make room there.`;
    return [{ id: `disk:${path}`, severity: full ? 'broken' : 'warning', what, next }];
  }
  if (files === 0 || freeFiles >= LOW_INODES) return [];
  const what = `The disk has nearly no inodes left: ${freeFiles} of ${files} at ${path}. Many small files use them up.`;
  const inodes = `df -i ${path} && du --inodes -x --max-depth=2 ${path} | sort -n | tail`;
  return [{ id: `inodes:${path}`, severity: freeFiles < FULL_INODES ? 'broken' : 'warning', what, next: inodes }];
}
