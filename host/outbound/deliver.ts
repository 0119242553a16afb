/**
 * Hands heads of queues to their platforms, one at a time per chat. A head is `sending` in central before the platform
 * is called, so that a crash in between is known for what it is: an attempt that may have arrived.
 */
import { LIMITS } from '@halfdoor/protocol/limits';
import type { Address, Receipt } from '@halfdoor/protocol/message';
import type { Channel, Outgoing, Sent } from '../channels/channel.ts';
import { textFor } from '../files/unshown.ts';
import { isoNow, type Clock, type Timer } from '../clock.ts';
import type { Central, Tx } from '../db/central.ts';
import type { Ids } from '../ids.ts';
import type { ToEnqueue } from '../inbound/dispatch.ts';
import type { Log } from '../log.ts';
import { errorText } from '../log.ts';
import { noteArrived, takeHead, type Delivery } from './ledger.ts';
import { partsOf } from './parts.ts';
import { afterSend, writeReceipt } from './receipt.ts';
import { tellUndelivered, type Undelivered } from './undelivered.ts';
import { confirmAll, putBack, waitingChats } from './unended.ts';

export type DeliverDeps = {
  central: Central;
  /** Undefined for one that is not there any more: what is for it waits. */
  channel(name: string): Channel | undefined;
  clock: Clock;
  ids: Ids;
  log: Log;
  /** Over what a platform says of a failure. */
  redact(text: string): string;
  /** A delivery of this session ended: projected back with the next enqueue. */
  onReceipt(sessionId: string, receipt: Receipt): void;
  /** What an agent is told of a delivery that was given up. */
  enqueue(items: ToEnqueue[]): void;
};

const COMMIT_AGAIN_MS = 1_000;
export class Deliverer {
  readonly #deps: DeliverDeps;
  readonly #timers = new Set<Timer>();
  readonly #running = new Set<Promise<void>>();

  constructor(deps: DeliverDeps) {
    this.#deps = deps;
  }

  /** Whether the head of this chat's queue could be sent right now. */
  mayTake(address: Address): boolean {
    return this.#deps.channel(address.channel)?.ready(address) ?? false;
  }

  /** Whether sending a delivery twice there shows it once. */
  isIdempotent(channel: string): boolean {
    return this.#deps.channel(channel)?.capabilities.idempotent ?? false;
  }

  /** Sends a head that a commit has marked `sending`, then the rows behind it. */
  start(head: Delivery): void {
    const run = this.#drain(head)
      .catch((error: unknown) => this.#deps.log.error('delivery loop failed', { error: errorText(error), id: head.id }))
      .finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  /** Looks at a chat's queue and starts its head if it can be sent: what is due by the clock, or by `waitedTo`. */
  async kick(address: Address, waitedTo = ''): Promise<void> {
    if (!this.mayTake(address)) return;
    const byClock = isoNow(this.#deps.clock);
    const now = waitedTo > byClock ? waitedTo : byClock;
    const head = await this.#committed((tx) => takeHead(tx, address, now));
    if (head) this.start(head);
  }

  /** A channel is there again: what waited for it goes. */
  async kickChannel(name: string): Promise<void> {
    for (const address of await waitingChats(this.#deps.central.read, name)) await this.kick(address);
  }

  /** Until it is in central: on a full disk, what is not written once would stand in the way of its chat for ever. */
  async #committed<T>(job: (tx: Tx) => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await this.#deps.central.commit('receipt', job);
      } catch (error) {
        this.#deps.log.error('receipt not written, it is tried again', { error: errorText(error) });
        await new Promise<void>((resolve) => this.#deps.clock.after(COMMIT_AGAIN_MS, resolve));
      }
    }
  }

  async #drain(head: Delivery): Promise<void> {
    const { clock } = this.#deps;
    for (let current: Delivery | null = head; current !== null;) {
      const delivery: Delivery = current;
      const channel = this.#deps.channel(delivery.address.channel);
      const answer = channel ? await this.#sendParts(channel, delivery) : GONE;
      const sent = answer.status === 'failed' ? { ...answer, reason: this.#deps.redact(answer.reason) } : answer;
      const after = afterSend(sent, delivery.tries, this.isIdempotent(delivery.address.channel));
      const { next, receipt, told } = await this.#committed(async (tx) => ({
        ...(await writeReceipt(tx, delivery, after, clock.now(), this.mayTake(delivery.address))),
        told: after.state === 'dead' ? await this.#tellUndelivered(tx, delivery, after.reason) : null,
      }));
      for (const notice of told?.heads ?? []) this.start(notice);
      this.#deps.enqueue(told?.toAgent ?? []);
      if (receipt && delivery.sessionId) this.#deps.onReceipt(delivery.sessionId, receipt);
      if (after.state === 'queued') this.#again(delivery.address, after.retryMs);
      current = next;
    }
  }

  /** Each part is in central before the next one is sent, so that what has arrived is not sent again. */
  async #sendParts(channel: Channel, delivery: Delivery): Promise<Sent> {
    const { hasFiles, maxTextLength } = channel.capabilities;
    const parts = partsOf(textFor(delivery.content, hasFiles), maxTextLength);
    let arrived = delivery.arrived;
    for (let n = Math.min(arrived.length, parts.length - 1); ; n++) {
      const sent = await channel.send(outgoing(delivery, parts, n));
      if (sent.status !== 'sent' || n >= parts.length - 1) return sent;
      arrived = [...arrived, sent.platformId];
      await this.#committed((tx) => noteArrived(tx, delivery.ordinal, arrived));
    }
  }

  #tellUndelivered(tx: Tx, delivery: Delivery, reason: string): Promise<Undelivered> {
    const { ids, clock } = this.#deps;
    const deps = { ids, now: () => isoNow(clock), mayTake: (address: Address) => this.mayTake(address) };
    return tellUndelivered(deps, tx, delivery, reason);
  }

  /** Somebody may have come while the row was being put back: look again, at once or when it is due. */
  #again(address: Address, retryMs: number | null, dueAt = ''): void {
    if (retryMs === null) {
      void this.kick(address);
      return;
    }
    // The clock may be set back meanwhile: what was waited for is due all the same.
    const { clock } = this.#deps;
    const due = dueAt || new Date(clock.now().getTime() + retryMs).toISOString();
    const timer = clock.after(retryMs, () => {
      this.#timers.delete(timer);
      void this.kick(address, due);
    });
    this.#timers.add(timer);
  }

  /** Somebody confirmed rows that were shown to them another way. Returns how many this ended. */
  async confirm(ids: string[]): Promise<number> {
    if (ids.length === 0) return 0;
    const now = this.#deps.clock.now().toISOString();
    const rows = await this.#deps.central.commit('receipt', (tx) => confirmAll(tx, ids, now));
    for (const { sessionId, seq } of rows) {
      if (sessionId === null || seq === null) continue;
      this.#deps.onReceipt(sessionId, { seq, status: 'delivered', platformId: null, reason: null, timestamp: now });
    }
    if (rows[0]) await this.kick(rows[0]);
    return rows.length;
  }

  /**
   * At start: what was `sending` when the host ended may have arrived; it is sent again and says so. What waits for its
   * next try is tried when that is due.
   */
  async recover(): Promise<void> {
    const { central, clock } = this.#deps;
    const chats = await central.commit('receipt', (tx) => putBack(tx, (it) => this.isIdempotent(it)));
    for (const { dueAt, ...address } of chats) {
      const waitMs = dueAt === null ? 0 : Date.parse(dueAt) - clock.now().getTime();
      // No platform is waited for longer; more than that is a clock that was set.
      if (waitMs > 0) this.#again(address, Math.min(waitMs, LIMITS.retryAfterMs), dueAt ?? '');
      else await this.kick(address);
    }
  }

  /** Ends timers and waits for attempts under way, at most `ms` milliseconds. */
  async close(ms: number): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const limit = this.#deps.clock.after(ms, resolve);
    await Promise.race([Promise.all(this.#running), over]);
    limit.cancel();
  }
}

/** The channel was taken away while this was on its way: it waits for one of that name. */
const GONE: Sent = { status: 'nobody', maybeSeen: false };

/** Part `n`. What goes with the text goes with its last part; only the first of an attempt may have arrived before. */
function outgoing(it: Delivery, parts: readonly string[], n: number): Outgoing {
  const { id, ordinal, address, content, seq, answers } = it;
  const isLast = n >= parts.length - 1;
  return {
    delivery: n === 0 ? id : `${id}#${n + 1}`,
    position: ordinal,
    ...{ address, seq, answers },
    text: parts[n] ?? '',
    notice: content.type === 'notice',
    mayBeDuplicate: it.mayBeDuplicate && n === it.arrived.length,
    files: (isLast && content.files) || [],
    buttons: (isLast && content.buttons) || [],
  };
}
