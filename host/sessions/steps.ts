/** Does what is to be done one step after the other, never two at once; a step that failed is tried again a second later. */
import type { Clock } from '../clock.ts';

const RETRY_AFTER_ERROR_MS = 1_000;

type Deps = {
  clock: Clock;
  /** Does the most urgent thing; false when there is nothing to do now. */
  step(): Promise<boolean>;
  /** Whether something came in since the last step. */
  hasMore(): boolean;
  onError(error: unknown): void;
  /** Nothing is left to be done. */
  onRest(): void;
};

export class Steps {
  readonly #deps: Deps;
  #working = false;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  kick(): void {
    if (this.#working) return;
    this.#working = true;
    queueMicrotask(() => void this.#work());
  }

  async #work(): Promise<void> {
    const { clock, step, hasMore, onError, onRest } = this.#deps;
    let failed = false;
    try {
      while (await step());
    } catch (error) {
      failed = true;
      onError(error);
    }
    this.#working = false;
    if (failed) clock.after(RETRY_AFTER_ERROR_MS, () => this.kick());
    else if (hasMore()) this.kick();
    else onRest();
  }
}
