/** Time as an argument, so that a test can hold it. */
export type Timer = { cancel(): void };
export type Clock = {
  now(): Date;
  /** Calls `fn` once after `ms` milliseconds; does not keep the process alive by itself. */
  after(ms: number, fn: () => void): Timer;
};

export const systemClock: Clock = {
  now: () => new Date(),
  after: (ms, fn) => {
    const timer = setTimeout(fn, ms);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};

export const isoNow = (clock: Clock): string => clock.now().toISOString();
