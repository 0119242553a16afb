/** The wait before a session whose runs died is started again: none after the first death, then longer and longer. */
import type { Clock, Timer } from '../clock.ts';
import { restartDelayMs } from './decide.ts';

export class Restart {
  readonly #clock: Clock;
  readonly #start: () => void;
  #timer: Timer | null = null;

  constructor(clock: Clock, start: () => void) {
    this.#clock = clock;
    this.#start = start;
  }

  get isWaiting(): boolean {
    return this.#timer !== null;
  }

  /** `start` is called later; where there is nothing to wait for it is not: whoever asked goes on by itself. */
  after(deaths: number): void {
    const delay = restartDelayMs(deaths);
    if (delay === 0) return;
    this.#timer = this.#clock.after(delay, () => {
      this.#timer = null;
      this.#start();
    });
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}
