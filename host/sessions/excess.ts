/** What a sandbox may not take more of, decided without effects: each has a name that the person and the agent hear. */
import { LIMITS } from '@halfdoor/protocol/limits';
import { size } from '../byte-size.ts';
import type { Unit } from '../sandboxes/disk-usage.ts';

/** A run under way, with the process that it was started as. */
export type Awake = { sessionId: string; agentId: string; pid: number };

export const EXCESSES = ['memory-limit', 'open-files-limit', 'disk-limit'] as const;
export type Excess = (typeof EXCESSES)[number];

export const isExcess = (it: string): it is Excess => (EXCESSES as readonly string[]).includes(it);

/** Of all processes inside together. */
export type ProcessUsage = { memoryBytes: number; openFiles: number };

export function excessOf(usage: ProcessUsage): Excess | null {
  if (usage.memoryBytes > LIMITS.memoryBytes) return 'memory-limit';
  return usage.openFiles > LIMITS.openFiles ? 'open-files-limit' : null;
}

/**
 * A run that begins with more than the limit on its disk, because the one before was ended for it, may go on with what
 * was left, or nobody could ever delete any of it; at twice the limit no run may.
 */
export function isDiskExcess(unit: Unit, usage: number, leftOver: number): boolean {
  const limit = unit === 'bytes' ? LIMITS.diskBytes : LIMITS.diskEntries;
  return usage > Math.min(Math.max(limit, leftOver), 2 * limit);
}

const TAKEN: Readonly<Record<Excess, string>> = {
  'memory-limit': `your processes together used more than ${size(LIMITS.memoryBytes)} of memory. Work in smaller pieces, with fewer processes.`,
  'open-files-limit': `your processes together held more than ${LIMITS.openFiles} files open. Close what you do not need.`,
  'disk-limit': `your files took more than ${size(LIMITS.diskBytes)} or were more than ${LIMITS.diskEntries}. Delete what you do not need before anything else.`,
};

/** For the agent, in its next run. */
export const excessText = (excess: Excess): string => `Your last run was ended: ${TAKEN[excess]}`;
