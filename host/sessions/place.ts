/** A session's place among the few that may be awake at once: asked for, waited for, given back. */
import type { Slots } from './slots.ts';

export class Place {
  readonly #slots: Slots;
  readonly #sessionId: string;
  readonly #onGranted: () => void;
  #granted = false;

  constructor(slots: Slots, sessionId: string, onGranted: () => void) {
    this.#slots = slots;
    this.#sessionId = sessionId;
    this.#onGranted = onGranted;
  }

  get granted(): boolean {
    return this.#granted;
  }

  /** Whether it is granted now; else `onGranted` is called once it is. */
  request(): boolean {
    this.#slots.request(this.#sessionId, () => {
      this.#granted = true;
      this.#onGranted();
    });
    return this.#granted;
  }

  release(): void {
    this.#granted = false;
    this.#slots.release(this.#sessionId);
  }
}
