/** Prompts that are pushed into a query, taken one by one until `end()` and nothing is left, or an abort. */
import type { PromptMessage } from './provider.ts';

export class PromptQueue {
  #waiting: PromptMessage[];
  #ended = false;
  #wake: () => void = () => {};

  constructor(first: PromptMessage) {
    this.#waiting = [first];
  }

  push(message: PromptMessage): void {
    this.#waiting.push(message);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** Everything that waits now; empty when nothing does. */
  takeAll(): PromptMessage[] {
    const all = this.#waiting;
    this.#waiting = [];
    return all;
  }

  /** The next one, waiting for it; null when there will be none. */
  async take(signal: AbortSignal): Promise<PromptMessage | null> {
    for (;;) {
      if (signal.aborted) return null;
      const next = this.#waiting.shift();
      if (next) return next;
      if (this.#ended) return null;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }
}
