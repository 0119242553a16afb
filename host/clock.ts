/** Time as an argument, so that a test can hold it. */
export type Timer = { cancel(): void };
export type Clock = {
  now(): Date;
  /** Calls `fn` once after `ms` milliseconds; does not keep the process alive by itself. */
  after(ms: number, fn: () => void): Timer;
  /** Calls `fn` once, as soon as what runs now and what it has settled are done. */
  soon(fn: () => void): void;
};

export const systemClock: Clock = {
  now: () => new Date(),
  after: (ms, fn) => {
    const timer = setTimeout(fn, ms);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
  soon: (fn) => void setImmediate(fn),
};

export const isoNow = (clock: Clock): string => clock.now().toISOString();
