/**
 * What the processes inside a sandbox use, as its own /proc shows them to the host: whatever they call themselves and
 * whoever started them. Only what no process inside can keep the host waiting for is read without waiting.
 */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

const KIB = 1024;
const COUNTED = /^(VmRSS|VmSwap|VmPTE|FDSize):\s+(\d+)/gm;

/** /proc of the sandbox that `outer` started, seen from here; null when nothing behind it has a wall of its own, or it is gone. */
export function procInside(outer: number): string | null {
  try {
    const inner = Number(readFileSync(`/proc/${outer}/task/${outer}/children`, 'utf8').split(' ')[0]);
    if (!(inner > 0) || readlinkSync(`/proc/${inner}/ns/pid`) === readlinkSync('/proc/self/ns/pid')) return null;
    return `/proc/${inner}/root/proc`;
  } catch {
    return null;
  }
}

const isPid = (name: string): boolean => /^\d+$/.test(name);

function pidsOf(proc: string): string[] {
  try {
    return readdirSync(proc).filter(isPid);
  } catch {
    return [];
  }
}

/**
 * An upper bound, cheap: pages that several share count for each of them (proc(5), /proc/PID/status). Page tables and
 * what was swapped out are memory too.
 */
export function roughly(proc: string): { memoryBytes: number; openFiles: number } {
  const sum = { memoryBytes: 0, openFiles: 0 };
  for (const pid of pidsOf(proc)) {
    for (const [, name, value] of textOf(`${proc}/${pid}/status`).matchAll(COUNTED)) {
      if (name === 'FDSize') sum.openFiles += Number(value);
      else sum.memoryBytes += Number(value) * KIB;
    }
  }
  return sum;
}

/** Shared pages in parts. A process inside can make this wait, so nothing else waits for it. */
export async function memoryInside(proc: string): Promise<number> {
  const each = pidsOf(proc).map(async (pid) => {
    const rollup = await readFile(join(proc, pid, 'smaps_rollup'), 'utf8').catch(() => '');
    const of = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(rollup)?.[1] ?? 0);
    const tables = Number(/^VmPTE:\s+(\d+)/m.exec(textOf(join(proc, pid, 'status')))?.[1] ?? 0);
    return (of('Pss') + of('SwapPss') + tables) * KIB;
  });
  return (await Promise.all(each)).reduce((sum, it) => sum + it, 0);
}

/** Linux counts them since 6.2 as the size of the folder; before, the slots that each process has made for them must do. */
export function openFilesInside(proc: string): number {
  return pidsOf(proc).reduce((sum, pid) => {
    const counted = statSync(join(proc, pid, 'fd'), { throwIfNoEntry: false })?.size ?? 0;
    return sum + (counted || Number(/^FDSize:\s+(\d+)/m.exec(textOf(join(proc, pid, 'status')))?.[1] ?? 0));
  }, 0);
}

/** Bytes on the disk `device` that no folder shows: files that were deleted and are held open. */
export async function deletedInside(proc: string, device: number): Promise<number> {
  const seen = new Map<number, number>();
  for (const pid of pidsOf(proc)) {
    const folder = join(proc, pid, 'fd');
    for (const fd of await readdir(folder).catch(() => [])) {
      const it = await stat(join(folder, fd)).catch(() => null);
      if (it?.isFile() && it.nlink === 0 && it.dev === device) seen.set(it.ino, it.blocks * 512);
    }
  }
  return [...seen.values()].reduce((sum, it) => sum + it, 0);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
