/**
 * What one place is shown while its people wait: a sign of typing that is renewed, and one message that is edited and
 * taken away again. Lossy and never in the way of a delivery: what the platform refuses is left out.
 */
import type { Address } from '@halfdoor/protocol/message';
import type { Channel, Sent } from '../channels/channel.ts';
import type { Clock, Timer } from '../clock.ts';
import type { ProgressStyle } from '../db/schema.ts';

export type ShowingDeps = {
  channel: Channel;
  address: Address;
  style: ProgressStyle;
  clock: Clock;
  /** From one change of the message to the next; platforms count them. */
  changeMs: number;
  newId(): string;
  /** A message that must be taken away, also by the next host, until `gone` names it. */
  shown(platformId: string): Promise<void>;
  gone(platformId: string): Promise<void>;
};

/** A sign of typing is renewed this long before the platform lets it fade. */
const BEFORE_MS = 1_000;

export class Showing {
  readonly #deps: ShowingDeps;
  #typing: Timer | null = null;
  /** What the message should say; null: there should be none. */
  #want: string | null = null;
  #message: { id: string; text: string } | null = null;
  #pause: Timer | null = null;
  #working: Promise<void> | null = null;
  #ended = false;
  /** The platform refused the message for good: nothing more of it is tried. */
  #refused = false;

  constructor(deps: ShowingDeps) {
    this.#deps = deps;
  }

  get style(): ProgressStyle {
    return this.#deps.style;
  }

  get maxTextLength(): number {
    return this.#deps.channel.capabilities.maxTextLength;
  }

  isFor({ channel, chat }: Pick<Address, 'channel' | 'chat'>): boolean {
    const { address } = this.#deps;
    return address.channel === channel && address.chat === chat;
  }

  /** Shows that something is being done, until `end`. */
  start(): void {
    if (this.#deps.style !== 'off') this.#type();
  }

  #type(): void {
    const { channel, address, clock } = this.#deps;
    if (!channel.type || channel.typingMs === undefined) return;
    void channel.type(address);
    this.#typing = clock.after(Math.max(BEFORE_MS, channel.typingMs - BEFORE_MS), () => this.#type());
  }

  /** Lets the message say this; null takes it away. What was not shown yet is passed over for what is newer. */
  say(text: string | null): void {
    if (this.#ended) return;
    this.#want = text;
    this.#work();
  }

  /** Resolves when nothing of it is to be seen any more, or cannot be taken away now. */
  async end(): Promise<void> {
    this.#ended = true;
    this.#typing?.cancel();
    this.#pause?.cancel();
    this.#pause = null;
    this.#want = null;
    this.#work();
    while (this.#working !== null) await this.#working;
  }

  #work(): void {
    if (this.#working !== null || this.#pause !== null) return;
    this.#working = this.#change().finally(() => {
      this.#working = null;
      // Something else was wanted meanwhile.
      if (this.#want !== (this.#message?.text ?? null) && !this.#refused && this.#pause === null) this.#work();
    });
  }

  async #change(): Promise<void> {
    const { channel, address } = this.#deps;
    const [want, message] = [this.#want, this.#message];
    if (want === null) {
      if (message === null) return;
      this.#message = null;
      const sent = await channel.delete?.(address, message.id);
      // What cannot be taken away now is taken away by the next host.
      if (sent?.status !== 'failed' || !sent.transient) await this.#deps.gone(message.id);
      return;
    }
    if (this.#refused || want === message?.text) return;
    const sent = await (message === null ? this.#send(want) : channel.edit?.(address, message.id, want));
    if (sent?.status === 'sent') await this.#arrived(message?.id ?? sent.platformId, want);
    else this.#refused = sent?.status === 'failed' && !sent.transient;
    const askedMs = sent?.status === 'failed' ? (sent.retryAfterMs ?? 0) : 0;
    this.#rest(Math.max(this.#deps.changeMs, askedMs));
  }

  #send(text: string): Promise<Sent> {
    const { channel, address, newId } = this.#deps;
    return channel.send({
      ...{ delivery: `preview:${newId()}`, position: 0, address, text },
      ...{ seq: null, notice: true, mayBeDuplicate: false, answers: [], files: [], buttons: [] },
    });
  }

  async #arrived(id: string | null, text: string): Promise<void> {
    if (id === null) {
      this.#refused = true;
      return;
    }
    const isNew = this.#message === null;
    this.#message = { id, text };
    if (isNew) await this.#deps.shown(id);
  }

  #rest(ms: number): void {
    if (this.#ended) return;
    this.#pause = this.#deps.clock.after(ms, () => {
      this.#pause = null;
      this.#work();
    });
  }
}
