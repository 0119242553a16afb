/** What of a session wakes and is not settled, as far as its actor has seen. */
import type { NewInbound } from '@halfdoor/protocol/message';

export class OpenWork {
  readonly #ids = new Set<string>();
  readonly #controls = new Set<string>();

  get ids(): ReadonlySet<string> {
    return this.#ids;
  }

  get size(): number {
    return this.#ids.size;
  }

  /** A person wants what runs to stop, and it has not. */
  get hasControl(): boolean {
    return this.#controls.size > 0;
  }

  /** Those of `messages` that wake. */
  add(messages: readonly NewInbound[]): void {
    for (const it of messages) {
      if (it.wakes) this.#ids.add(it.id);
      if (it.wakes && it.kind === 'control') this.#controls.add(it.id);
    }
  }

  delete(ids: readonly string[]): void {
    for (const id of ids) {
      this.#ids.delete(id);
      this.#controls.delete(id);
    }
  }

  clear(): void {
    this.#ids.clear();
    this.#controls.clear();
  }
}
