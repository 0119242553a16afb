/** Whether something of the machine's has become less: since it was last told so by more than `by`, or `everyMs` ago. */
export class Level {
  readonly #by: number;
  readonly #everyMs: number;
  /** The highest since, and when it was told; the first question only says where it stands. */
  #high = 0;
  #toldAt: number | null = null;
  #must = false;

  constructor({ by, everyMs }: { by: number; everyMs: number }) {
    this.#by = by;
    this.#everyMs = everyMs;
  }

  sank(level: number, nowMs: number): boolean {
    this.#high = Math.max(this.#high, level);
    this.#toldAt ??= nowMs;
    const due = this.#must || nowMs - this.#toldAt >= this.#everyMs;
    if (!due && this.#high - level <= this.#by) return false;
    this.#must = false;
    this.#high = level;
    this.#toldAt = nowMs;
    return true;
  }

  /** The next question is answered with yes. */
  forget(): void {
    this.#must = true;
  }
}
