/** What every query has in common that takes its prompts from a queue: pushing, ending, and an abort that waits for the end. */
import { PromptQueue } from './prompt-queue.ts';
import type { AgentQuery, PromptMessage, ProviderEvent } from './provider.ts';

export abstract class QueuedQuery implements AgentQuery {
  readonly events: AsyncIterable<ProviderEvent>;
  protected readonly queue: PromptQueue;
  readonly #abort = new AbortController();
  #over: Promise<void> = Promise.resolve();

  constructor(first: PromptMessage) {
    this.queue = new PromptQueue(first);
    this.events = this.#told();
  }

  /** The events, until the queue has ended or `signal` says so. Begun when the first event is asked for. */
  protected abstract run(): AsyncGenerator<ProviderEvent>;

  protected get signal(): AbortSignal {
    return this.#abort.signal;
  }

  push(message: PromptMessage): void {
    this.queue.push(message);
  }

  end(): void {
    this.queue.end();
  }

  async abort(): Promise<void> {
    this.#abort.abort();
    await this.#over;
  }

  async *#told(): AsyncGenerator<ProviderEvent> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#over = promise;
    try {
      yield* this.run();
    } finally {
      resolve();
    }
  }
}
