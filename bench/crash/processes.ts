/** The processes of one install, found from outside by the label in their argv, as the kernel counts them. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

export type Found = { pid: number; program: string };

/** All that carry exactly this label, each with the name of its program: bwrap, tini, bun. */
export function labelled(label: string): Found[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const argv = argvOf(name);
      return argv.includes(label) ? [{ pid: Number(name), program: basename(argv[0] ?? '') }] : [];
    });
}

function argvOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return []; // gone
  }
}

/** Whether it stands still; null when it is gone (proc(5): the state follows the name, whose brackets may hold anything). */
export function isStopped(pid: number): boolean | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat[stat.lastIndexOf(')') + 2] === 'T';
  } catch {
    return null;
  }
}

/** False when it has ended by itself. */
export function signal(pid: number, name: 'SIGKILL' | 'SIGCONT'): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}
