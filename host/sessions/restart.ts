/** The wait before a session whose runs died is started again: none after the first death, then longer and longer. */
import type { Clock, Timer } from '../clock.ts';
import { restartDelayMs } from './decide.ts';

export class Restart {
  readonly #clock: Clock;
  readonly #start: () => void;
  #timer: Timer | null = null;
  /** In a row, with nothing settled in between. */
  #deaths = 0;

  constructor(clock: Clock, start: () => void) {
    this.#clock = clock;
    this.#start = start;
  }

  get isWaiting(): boolean {
    return this.#timer !== null;
  }

  settled(): void {
    this.#deaths = 0;
  }

  /**
   * A run has ended, `died` or as it was told to. `again`: `start` is called later; where there is nothing to wait for it
   * is not: whoever asked goes on by itself.
   */
  ended(died: boolean, again: boolean): void {
    this.#deaths = died ? this.#deaths + 1 : 0;
    const delay = restartDelayMs(this.#deaths);
    if (delay === 0 || !again) return;
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
