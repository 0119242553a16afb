/** When the next run may begin after deaths in a row: the first is replaced at once, the later ones wait. */
import type { Clock, Timer } from '../clock.ts';
import { restartDelayMs } from './decide.ts';

export class Restart {
  readonly #clock: Clock;
  #timer: Timer | null = null;
  deaths = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether the next run has to wait. */
  get waits(): boolean {
    return this.#timer !== null;
  }

  /** Calls `then` when the wait is over; without one to wait, nothing is called. */
  later(then: () => void): void {
    const delay = restartDelayMs(this.deaths);
    if (delay === 0) return;
    this.#timer = this.#clock.after(delay, () => {
      this.#timer = null;
      then();
    });
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}
