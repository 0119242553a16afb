/** Time that stands still until a test moves it. */
import type { Clock } from '../../host/clock.ts';

type Due = { at: number; fn: () => void };

export class HeldClock implements Clock {
  #now: number;
  #due: Due[] = [];

  constructor(at = Date.parse('2026-01-02T03:04:05.000Z')) {
    this.#now = at;
  }

  now(): Date {
    return new Date(this.#now);
  }

  after(ms: number, fn: () => void): { cancel(): void } {
    const due = { at: this.#now + ms, fn };
    this.#due.push(due);
    return { cancel: () => void (this.#due = this.#due.filter((it) => it !== due)) };
  }

  soon(fn: () => void): void {
    setImmediate(fn);
  }

  /** How many wait for their time. */
  get waiting(): number {
    return this.#due.length;
  }

  /** Lets this much time pass, everything due in its order, each after what the one before has begun is done. */
  async pass(ms: number): Promise<void> {
    const until = this.#now + ms;
    await settled();
    for (let next = this.#first(until); next; next = this.#first(until)) {
      this.#now = Math.max(this.#now, next.at);
      this.#due = this.#due.filter((it) => it !== next);
      next.fn();
      await settled();
    }
    this.#now = until;
  }

  #first(until: number): Due | undefined {
    return this.#due.filter((it) => it.at <= until).toSorted((a, b) => a.at - b.at)[0];
  }
}

/** Everything in this process that waits for no timer and no other process has been done. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}
