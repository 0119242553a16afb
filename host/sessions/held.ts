/** A file that somebody inside holds locked: for how long by now, in waits of our own, and when it is tried again. */
import { LIMITS } from '@halfdoor/protocol/limits';
import type { Clock, Timer } from '../clock.ts';

/** Each try keeps the whole host waiting for a moment, so one that goes on for seconds is made less and less often. */
const RETRY_MOST_MS = 100;

export class Held {
  readonly #clock: Clock;
  readonly #retry: () => void;
  #timer: Timer | null = null;
  #pauseMs = 0;
  #heldMs = 0;

  /** `retry` is called once for each try that failed, some milliseconds later. */
  constructor(clock: Clock, retry: () => void) {
    this.#clock = clock;
    this.#retry = retry;
  }

  get isHeld(): boolean {
    return this.#pauseMs > 0;
  }

  /** Whether a try may be made now, however often somebody asks for one. */
  get isDue(): boolean {
    return this.#timer === null;
  }

  tried(done: boolean): void {
    if (done) return this.clear();
    this.#pauseMs = Math.min(Math.max(this.#pauseMs * 2, LIMITS.bellPauseMs), RETRY_MOST_MS);
    this.#timer ??= this.#clock.after(this.#pauseMs, () => {
      this.#timer = null;
      this.#retry();
    });
  }

  /** Returns whether it is held for longer than is borne: five seconds. */
  waited(ms: number): boolean {
    this.#heldMs = this.isHeld ? this.#heldMs + ms : 0;
    return this.#heldMs > LIMITS.lockedMs;
  }

  clear(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#pauseMs = 0;
    this.#heldMs = 0;
  }
}
