/** How a Telegram channel stands, for people. */
import type { ChannelStatus } from '../channel.ts';
import type { ChannelHost } from '../channel-host.ts';
import type { Trouble } from './trouble.ts';

export class Standing {
  readonly #host: Pick<ChannelHost, 'now' | 'log'>;
  #status: ChannelStatus;

  constructor(host: Pick<ChannelHost, 'now' | 'log'>) {
    this.#host = host;
    this.#status = { state: 'connecting', since: this.#now(), lastError: null };
  }

  get status(): ChannelStatus {
    return this.#status;
  }

  /** Returns whether it was anything else before. */
  connected(): boolean {
    const { state, lastError } = this.#status;
    if (state === 'connected') return false;
    this.#status = { state: 'connected', since: this.#now(), lastError };
    this.#host.log.info('connected');
    return true;
  }

  failed({ state, text, next }: Trouble): void {
    const at = this.#now();
    const { status } = this;
    const isNew = status.state !== state || status.lastError?.text !== text;
    if (isNew) this.#host.log[state === 'broken' ? 'error' : 'warn'](text, { next });
    this.#status = { state, since: status.state === state ? status.since : at, lastError: { at, text, next } };
  }

  /** Something that went wrong and changes nothing of how it stands. */
  note(text: string, next: string): void {
    this.#status = { ...this.#status, lastError: { at: this.#now(), text, next } };
  }

  #now(): string {
    return this.#host.now().toISOString();
  }
}
