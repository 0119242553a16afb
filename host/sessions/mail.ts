/** What waits to be projected into an awake session's inbound.db: new messages, and receipts that ride along. */
import { isFault } from '@halfdoor/protocol/fault';
import type { NewInbound, Receipt } from '@halfdoor/protocol/message';
import type { LiveRun } from './wake.ts';

export class Mail {
  #messages: NewInbound[] = [];
  #receipts: Receipt[] = [];

  get waiting(): boolean {
    return this.#messages.length > 0;
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
