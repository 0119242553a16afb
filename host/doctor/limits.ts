/** What a sandbox may take of this machine, and what holds it to that here. */
import { LIMITS } from '@halfdoor/protocol/limits';
import { size } from '../byte-size.ts';
import { openFilesPerProcess } from '../sandboxes/open-files.ts';
import type { Check } from './check.ts';

export const limits = (): Check => ({
  name: 'the limits of a sandbox',
  look: () => {
    const watched = [
      `${size(LIMITS.memoryBytes)} of memory`,
      `${LIMITS.openFiles} open files`,
      `${size(LIMITS.diskBytes)} and ${LIMITS.diskEntries} files on the disk`,
    ];
    const kernel = [
      `${LIMITS.pids} processes`,
      `${openFilesPerProcess()} open files in each`,
      `files of ${size(LIMITS.fileBytes)}`,
      `${size(LIMITS.tmpBytes)} in /tmp`,
      `${size(LIMITS.shmBytes)} in /dev/shm`,
    ];
    const last = 'For a processor it stands behind the host. Without a wall (kind process) none of it holds.';
    const fine = `a sandbox is held by a watchdog to ${watched.join(', ')}; by the kernel to ${kernel.join(', ')}. ${last}`;
    return { fine, found: [] };
  },
});
