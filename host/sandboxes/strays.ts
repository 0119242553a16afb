/** What a dead host of this install may have left running: found by the label in its argv, ended before anything starts. */
import { readdirSync, readFileSync } from 'node:fs';
import { isLabelOf } from './label.ts';
import { untilGone } from './launched.ts';

/** Ends them all and waits until they are gone. Returns how many there were. Where there is no /proc there are none. */
export const reapStrays = (install: string): Promise<number> => endLabelled((it) => isLabelOf(install, it));

/** As `reapStrays`, for every process that has an argument which `isMeant`. */
export async function endLabelled(isMeant: (argument: string) => boolean): Promise<number> {
  const pids = strays(isMeant);
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended by itself, or it is not ours to end and then not of this install.
    }
  }
  await untilGone(pids);
  return pids.length;
}

/** Pids of what a dead host of this install left. */
export const straysOf = (install: string): number[] => strays((it) => isLabelOf(install, it));

function strays(isMeant: (argument: string) => boolean): number[] {
  const own = process.getuid?.();
  return processes().filter((pid) => {
    try {
      const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      return pid !== process.pid && argv.some(isMeant) && ownerOf(pid) === own;
    } catch {
      return false;
    }
  });
}

function ownerOf(pid: number): number {
  const line = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? -1);
}

function processes(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}
