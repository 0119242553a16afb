/** What a dead host of this install may have left running: found by the label in its argv, ended before anything starts. */
import { readdirSync, readFileSync } from 'node:fs';
import { isLabelOf } from './label.ts';
import { untilGone } from './launched.ts';

/** Ends them all and waits until they are gone. Returns how many there were. Where there is no /proc there are none. */
export async function reapStrays(install: string): Promise<number> {
  const pids = straysOf(install);
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

/** Their pids: this user's processes with the install's label in their argv. */
export function straysOf(install: string): number[] {
  const own = process.getuid?.();
  return processes().filter((pid) => {
    try {
      const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      return pid !== process.pid && argv.some((it) => isLabelOf(install, it)) && ownerOf(pid) === own;
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
