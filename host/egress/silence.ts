/** How long nothing has been heard of a model that was asked, on the host's clock. */
import { LIMITS } from '@halfdoor/protocol/limits';
import type { Clock, Timer } from '../clock.ts';

export class Silence {
  readonly #clock: Clock;
  readonly #onSilent: () => void;
  #timer: Timer;

  /** `onSilent` is called once nothing was heard for `LIMITS.silenceMs`. */
  constructor(clock: Clock, onSilent: () => void) {
    this.#clock = clock;
    this.#onSilent = onSilent;
    this.#timer = clock.after(LIMITS.silenceMs, onSilent);
  }

  heard(): void {
    this.#timer.cancel();
    this.#timer = this.#clock.after(LIMITS.silenceMs, this.#onSilent);
  }

  over(): void {
    this.#timer.cancel();
  }
}
