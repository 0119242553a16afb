/** What waits to be projected into an awake session's inbound.db: new messages, and receipts that ride along. */
import { isFault } from '@halfdoor/protocol/fault';
import type { NewInbound, Receipt } from '@halfdoor/protocol/message';
import type { LiveRun } from './wake.ts';

export class Mail {
  #messages: NewInbound[] = [];
  #receipts: Receipt[] = [];
  /** The run must give way to the next; until then nothing is handed to it. */
  #renew: 'renewed' | 'revoked' | null = null;

  /** Whether something waits that may be projected now. */
  get waiting(): boolean {
    return this.#messages.length > 0 && this.#renew === null;
  }

  /** What the run was made from has changed: everything waits for the next one. */
  hold(reason: 'renewed' | 'revoked'): void {
    if (this.#renew !== 'revoked') this.#renew = reason;
  }

  /** The next run is about to be made from what central says now. */
  letGo(): void {
    this.#renew = null;
  }

  /**
   * Why the run should end now, if it should: `revoked` at once; `renewed` when everything of `open` still waits here, or
   * when a person wants to stop what runs, which the next run will do.
   */
  mustEnd(open: ReadonlySet<string>): 'renewed' | 'revoked' | null {
    if (this.#renew !== 'renewed') return this.#renew;
    const here = new Set(this.#messages.map((it) => it.id));
    const over = [...open].every((id) => here.has(id)) || this.#messages.some((it) => it.kind === 'control');
    return over ? 'renewed' : null;
  }

  get messages(): readonly NewInbound[] {
    return this.#messages;
  }

  add(messages: NewInbound[]): void {
    this.#messages.push(...messages);
  }

  receipt(receipt: Receipt): void {
    this.#receipts.push(receipt);
  }

  /** Rows that were not sent, each with why. */
  refused(rows: { seq: number; text: string }[], timestamp: string): void {
    for (const { seq, text: reason } of rows) {
      this.receipt({ seq, status: 'refused', platformId: null, reason, timestamp });
    }
  }

  /** The wake has projected these, and all receipts: only what came in meanwhile stays. */
  projected(ids: ReadonlySet<string>): void {
    this.#messages = this.#messages.filter((it) => !ids.has(it.id));
    this.#receipts = [];
  }

  /** One transaction, then the bell. False when somebody holds a lock: nothing is lost, try again. */
  project(live: LiveRun, cursor: number): boolean {
    const messages = this.#messages;
    try {
      live.inbound.project({ messages, receipts: this.#receipts, cursor });
    } catch (error) {
      if (isFault(error, 'busy')) return false;
      throw error;
    }
    this.#messages = this.#messages.slice(messages.length);
    this.#receipts = [];
    live.bell.ring();
    return true;
  }
}
