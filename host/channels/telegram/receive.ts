/**
 * How updates come in. Each is acknowledged only once accept has said that it is durable, or will never be taken: by the
 * offset of the next poll (core.telegram.org/bots/api#getupdates), or by answering the webhook with 200.
 */
import type { ChannelHost } from '../channel-host.ts';
import { reconnectMs } from '../channel-host.ts';
import type { BotApi, NotCalled } from './call.ts';
import type { Incomings } from './incomings.ts';
import { ALLOWED_UPDATES } from './settings.ts';
import type { Standing } from './standing.ts';
import { troubleOf } from './trouble.ts';
import { updateId } from './update.ts';

export type ReceiverDeps = {
  host: ChannelHost;
  api: BotApi;
  standing: Standing;
  incomings: Incomings;
  tokenName: string;
  /** It is connected again: what was parked may be sent. */
  onConnected(): void;
  /** null: polled. */
  webhook: { url: string; secret(): string | null } | null;
};

const POLL_S = 50;
const POLL_DEADLINE_MS = (POLL_S + 15) * 1_000;
const BATCH = 100;
const LEAST_MOST_MS = 60 * 60_000;

export class Receiver {
  readonly #deps: ReceiverDeps;
  readonly #stopped = new AbortController();
  /** The poll under way. */
  #open = new AbortController();
  #running: Promise<void> | null = null;
  #offset: number | undefined;
  #failures = 0;
  /** How long Telegram asked to be left alone. */
  #leastMs = 0;
  #fresh = true;

  constructor(deps: ReceiverDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#running ??= this.#run().finally(() => (this.#running = null));
  }

  /** Something else has failed: asks anew how it stands, at once. */
  look(): void {
    this.#fresh = true;
    this.#open.abort();
    this.start();
  }

  /** Ends an open poll at once; resolves when the update under way is done. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      const went = this.#deps.webhook === null ? await this.#poll() : await this.#register(this.#deps.webhook);
      if (went === 'done') return;
      if (went === 'again') this.#failures = 0;
      else await this.#pause(Math.max(this.#leastMs, reconnectMs(this.#failures++, this.#deps.host.random())));
    }
  }

  /** One poll. The first after a failure does not wait: whoever looks wants to know that it works again. */
  async #poll(): Promise<'again' | 'failed' | 'done'> {
    const { api } = this.#deps;
    this.#open = new AbortController();
    const signal = AbortSignal.any([this.#stopped.signal, this.#open.signal]);
    const asked = { timeout: this.#fresh ? 0 : POLL_S, limit: BATCH, allowed_updates: ALLOWED_UPDATES };
    const called = await api.call(
      'getUpdates',
      { offset: this.#offset, ...asked },
      { deadlineMs: POLL_DEADLINE_MS, signal },
    );
    if (this.#stopped.signal.aborted) return 'done';
    if (!called.ok) return this.#open.signal.aborted ? 'again' : this.#failed(called);
    this.#fresh = false;
    const updates = Array.isArray(called.result) ? (called.result as unknown[]) : [];
    for (const update of updates) {
      const id = updateId(update);
      if (id === null) return this.#spoiled();
      if (this.#stopped.signal.aborted) return 'done';
      if (!(await this.#deps.incomings.take(update))) return this.#notNow();
      this.#offset = id + 1;
    }
    this.#connected();
    return 'again';
  }

  /** Until Telegram knows where to send updates. */
  async #register({ url, secret }: NonNullable<ReceiverDeps['webhook']>): Promise<'failed' | 'done'> {
    const asked = { url, secret_token: secret(), allowed_updates: ALLOWED_UPDATES, max_connections: 1 };
    const called = await this.#deps.api.call('setWebhook', asked, { signal: this.#stopped.signal });
    if (this.#stopped.signal.aborted) return 'done';
    if (!called.ok) return this.#failed(called);
    this.#connected();
    return 'done';
  }

  #connected(): void {
    if (this.#deps.standing.connected()) this.#deps.onConnected();
  }

  #failed(called: NotCalled): 'failed' {
    const { host, standing, tokenName } = this.#deps;
    this.#fresh = true;
    this.#leastMs = called.by === 'telegram' ? Math.min(called.retryAfterMs ?? 0, LEAST_MOST_MS) : 0;
    standing.failed(troubleOf(called, host.name, tokenName));
    return 'failed';
  }

  #notNow(): 'failed' {
    this.#leastMs = 0;
    const next = 'See host.log: it is tried again by itself.';
    this.#deps.standing.failed({ state: 'waiting', text: 'a message could not be taken in just now', next });
    return 'failed';
  }

  #spoiled(): 'failed' {
    const next = 'Is it the Bot API that answers at the base URL?';
    this.#deps.standing.failed({ state: 'waiting', text: 'an answer without update ids came', next });
    return 'failed';
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#stopped;
    return new Promise((resolve) => {
      const timer = this.#deps.host.after(ms, end);
      function end(): void {
        timer.cancel();
        signal.removeEventListener('abort', end);
        resolve();
      }
      signal.addEventListener('abort', end);
      if (signal.aborted) end();
    });
  }
}
