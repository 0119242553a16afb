/** At most so many sandboxes at once. Who waits is served in order; an idle one gives way at once. */
export class Slots {
  readonly #limit: number;
  readonly #evictIdle: () => void;
  readonly #onMoved: (waiting: readonly string[]) => void;
  readonly #holders = new Set<string>();
  readonly #waiting: { id: string; grant: () => void }[] = [];

  /**
   * `evictIdle` is called when somebody waits: it stops one sandbox that has nothing to do, if there is one. `onMoved` is
   * told who waits, in order, whenever that has changed.
   */
  constructor(limit: number, evictIdle: () => void, onMoved: (waiting: readonly string[]) => void) {
    this.#limit = limit;
    this.#evictIdle = evictIdle;
    this.#onMoved = onMoved;
  }

  /** Calls `grant` when a slot is this session's, now or later. A session asks once at a time. */
  request(id: string, grant: () => void): void {
    if (this.#holders.has(id) || this.#waiting.some((it) => it.id === id)) return;
    this.#waiting.push({ id, grant });
    this.#serve();
    if (this.#waiting.length === 0) return;
    this.#moved();
    this.#evictIdle();
  }

  /** Gives the slot back, or the place in the queue. */
  release(id: string): void {
    this.#holders.delete(id);
    const at = this.#waiting.findIndex((it) => it.id === id);
    if (at >= 0) this.#waiting.splice(at, 1);
    if (this.#serve() || at >= 0) this.#moved();
  }

  #moved(): void {
    this.#onMoved(this.#waiting.map((it) => it.id));
  }

  /** Whether anybody was served. */
  #serve(): boolean {
    const before = this.#waiting.length;
    while (this.#holders.size < this.#limit) {
      const next = this.#waiting.shift();
      if (!next) break;
      this.#holders.add(next.id);
      next.grant();
    }
    return this.#waiting.length < before;
  }

  /** Place among those that wait, from 1; null when it does not wait. */
  place(id: string): number | null {
    const at = this.#waiting.findIndex((it) => it.id === id);
    return at < 0 ? null : at + 1;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get used(): number {
    return this.#holders.size;
  }
}
