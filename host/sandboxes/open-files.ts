import { readFileSync } from 'node:fs';
import { LIMITS } from '@halfdoor/protocol/limits';

/** How many files one process inside may hold open: no more than its host could, or the limit could not be set (proc(5)). */
export function openFilesPerProcess(): number {
  const hard = /^Max open files +\d+ +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return Math.min(LIMITS.openFilesPerProcess, Number(hard ?? LIMITS.openFilesPerProcess));
}
