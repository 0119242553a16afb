/** How long the next one has to wait, so that there are no more than `perSecond`, after as many at once. */
export class Pace {
  readonly #eachMs: number;
  /** When the one after the last may come, if none came at once. */
  #next = -Infinity;

  constructor(perSecond: number) {
    this.#eachMs = 1_000 / perSecond;
  }

  /** In milliseconds, `now` on the same scale. It is counted. */
  wait(now: number): number {
    this.#next = Math.max(this.#next, now - 1_000) + this.#eachMs;
    return Math.max(0, this.#next - now);
  }
}
