import { Unreachable } from './api.ts';
import type { Context } from './context.ts';
import { notRunning } from './failure.ts';

/** `ask`, with a host that is not there told as such: exit code 3. */
export async function withHost<T>(context: Context, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof Unreachable) throw notRunning(context.home);
    throw error;
  }
}
