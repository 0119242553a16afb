/** Who comes first where there are more that want a processor than processors. */
import { setPriority } from 'node:os';

/** Set right after the start it holds for everything that comes of it (setpriority(2)). */
export function yieldTo(pid: number | undefined, niceness: number): void {
  try {
    if (pid !== undefined) setPriority(pid, niceness);
  } catch {
    // It has ended by itself.
  }
}
