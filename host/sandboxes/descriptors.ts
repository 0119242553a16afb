/** Whether there are descriptors enough for a start. */
import { closeSync, openSync } from 'node:fs';
import { SandboxError } from './sandbox.ts';

/** Three pipes of two ends each, one for the child's own news, and what the child opens before it is the program. */
const NEEDED = 12;

/**
 * Throws `SandboxError` when the host has not so many to spare. Asked before each start, since a spawn that runs out of
 * them half-way never closes the ones it had (seen with Node 24.21): a host in want of a few would lose more by each try.
 */
export function checkDescriptors(): void {
  const held: number[] = [];
  try {
    while (held.length < NEEDED) held.push(openSync('/dev/null', 'r'));
  } catch (error) {
    throw new SandboxError(
      `the host has no descriptors to spare: ${error instanceof Error ? error.message : String(error)}`,
      'Start it with more of them: ulimit -n 4096.',
    );
  } finally {
    for (const fd of held) closeSync(fd);
  }
}
