/** Waits for a state, told by signals when to look again; never for time alone. */
import type { Clock } from '../clock.ts';
import type { SignalMap, Signals } from '../signals.ts';

/** True once `holds` does, looked at now and after each of these signals; false when `ms` are over first. */
export async function until(
  deps: { signals: Signals; clock: Clock },
  names: readonly (keyof SignalMap)[],
  holds: () => Promise<boolean>,
  ms: number,
): Promise<boolean> {
  let wake = (): void => {};
  let expired = false;
  const ends = names.map((name) => deps.signals.on(name, () => wake()));
  const timer = deps.clock.after(ms, () => {
    expired = true;
    wake();
  });
  try {
    for (;;) {
      const signal = new Promise<void>((resolve) => (wake = resolve));
      if (await holds()) return true;
      if (expired) return false;
      await signal;
    }
  } finally {
    timer.cancel();
    ends.forEach((end) => end());
  }
}
