/**
 * Hands heads of queues to their platforms, one at a time per chat. A head is `sending` in central before the platform
 * is called, so that a crash in between is known for what it is: an attempt that may have arrived.
 */
import type { Address, Receipt } from '@halfdoor/protocol/message';
import type { Channel, Outgoing } from '../channels/channel.ts';
import { isoNow, type Clock, type Timer } from '../clock.ts';
import type { Central, Tx } from '../db/central.ts';
import { compiled } from '../db/compiled.ts';
import type { Ids } from '../ids.ts';
import type { Log } from '../log.ts';
import { errorText } from '../log.ts';
import { queueOf, takeHead, type Delivery } from './ledger.ts';
import { afterSend, writeReceipt } from './receipt.ts';
import { tellUndelivered } from './undelivered.ts';

export type DeliverDeps = {
  central: Central;
  channels: Readonly<Record<string, Channel>>;
  clock: Clock;
  ids: Ids;
  log: Log;
  /** Over what a platform says of a failure. */
  redact(text: string): string;
  /** A delivery of this session ended: projected back with the next enqueue. */
  onReceipt(sessionId: string, receipt: Receipt): void;
};

const COMMIT_AGAIN_MS = 1_000;
const NOT_ENDED = compiled((db) =>
  db
    .selectFrom('deliveries')
    .select(['ordinal', 'channel', 'chat', 'state', 'due_at as dueAt'])
    .where('state', 'in', ['queued', 'sending'])
    .orderBy('ordinal'),
);

export class Deliverer {
  readonly #deps: DeliverDeps;
  readonly #timers = new Set<Timer>();
  readonly #running = new Set<Promise<void>>();

  constructor(deps: DeliverDeps) {
    this.#deps = deps;
  }

  /** Whether the head of this chat's queue could be sent right now. */
  mayTake(address: Address): boolean {
    return this.#deps.channels[address.channel]?.ready(address) ?? false;
  }

  /** Whether sending a delivery twice there shows it once. */
  isIdempotent(channel: string): boolean {
    return this.#deps.channels[channel]?.idempotent ?? false;
  }

  /** Sends a head that a commit has marked `sending`, then the rows behind it. */
  start(head: Delivery): void {
    const run = this.#drain(head)
      .catch((error: unknown) => this.#deps.log.error('delivery loop failed', { error: errorText(error), id: head.id }))
      .finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  /** Looks at a chat's queue and starts its head if it can be sent. */
  async kick(address: Address): Promise<void> {
    if (!this.mayTake(address)) return;
    const now = this.#deps.clock.now().toISOString();
    const head = await this.#committed((tx) => takeHead(tx, address, now));
    if (head) this.start(head);
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
      const channel = this.#deps.channels[delivery.address.channel];
      if (!channel) return;
      const answer = await channel.send(outgoing(delivery));
      const sent = answer.status === 'failed' ? { ...answer, reason: this.#deps.redact(answer.reason) } : answer;
      const after = afterSend(sent, delivery.tries);
      const { next, receipt, told } = await this.#committed(async (tx) => ({
        ...(await writeReceipt(tx, delivery, after, clock.now(), channel.ready(delivery.address))),
        told: after.state === 'dead' ? await this.#tellUndelivered(tx, delivery, after.reason) : [],
      }));
      for (const notice of told) this.start(notice);
      if (receipt && delivery.sessionId) this.#deps.onReceipt(delivery.sessionId, receipt);
      if (after.state === 'queued') this.#again(delivery.address, after.retryMs);
      current = next;
    }
  }

  #tellUndelivered(tx: Tx, delivery: Delivery, reason: string): Promise<Delivery[]> {
    const { ids, clock } = this.#deps;
    const deps = { ids, now: () => isoNow(clock), mayTake: (address: Address) => this.mayTake(address) };
    return tellUndelivered(deps, tx, delivery, reason);
  }

  /** Somebody may have come while the row was being put back: look again, at once or when it is due. */
  #again(address: Address, retryMs: number | null): void {
    if (retryMs === null) {
      void this.kick(address);
      return;
    }
    const timer = this.#deps.clock.after(retryMs, () => {
      this.#timers.delete(timer);
      void this.kick(address);
    });
    this.#timers.add(timer);
  }

  /** Somebody confirmed rows that were shown to them another way. Returns how many this ended. */
  async confirm(ids: string[]): Promise<number> {
    if (ids.length === 0) return 0;
    const now = this.#deps.clock.now().toISOString();
    const rows = await this.#deps.central.commit('receipt', (tx) =>
      tx
        .updateTable('deliveries')
        .set({ state: 'delivered', settled_at: now, due_at: null })
        .where('id', 'in', ids)
        .where('state', 'in', ['queued', 'sending'])
        .returning(['channel', 'chat', 'thread', 'session_id', 'seq'])
        .execute(),
    );
    for (const row of rows) {
      const { session_id: session, seq } = row;
      if (session && seq !== null) {
        this.#deps.onReceipt(session, { seq, status: 'delivered', platformId: null, reason: null, timestamp: now });
      }
    }
    const first = rows[0];
    if (first) await this.kick({ channel: first.channel, chat: first.chat, thread: first.thread });
    return rows.length;
  }

  /**
   * At start: what was `sending` when the host ended may have arrived; it is sent again and says so. What waits for its
   * next try is tried when that is due.
   */
  async recover(): Promise<void> {
    const { central, clock } = this.#deps;
    const chats = await central.commit('receipt', (tx) => this.#putBack(tx));
    for (const { dueAt, ...address } of chats) {
      const waitMs = dueAt === null ? 0 : Date.parse(dueAt) - clock.now().getTime();
      if (waitMs > 0) this.#again(address, waitMs);
      else await this.kick(address);
    }
  }

  /** Chats with something to send, and when their heads are due. */
  async #putBack(tx: Tx): Promise<(Address & { dueAt: string | null })[]> {
    const open = await NOT_ENDED.all(tx, {});
    for (const { ordinal, channel } of open.filter((it) => it.state === 'sending')) {
      const duplicate = this.isIdempotent(channel) ? 0 : 1;
      await tx
        .updateTable('deliveries')
        .set((eb) => ({ state: 'queued', may_be_duplicate: eb.fn('max', ['may_be_duplicate', eb.val(duplicate)]) }))
        .where('ordinal', '=', ordinal)
        .execute();
    }
    // The first of each chat is its head, the only one that is ever due at a time.
    const heads = open.map(({ channel, chat, dueAt }) => ({ channel, chat, thread: null, dueAt }));
    return [...new Map(heads.toReversed().map((it) => [queueOf(it), it])).values()];
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

function outgoing({ id, address, content, seq, mayBeDuplicate, answers }: Delivery): Outgoing {
  const notice = content.type === 'notice';
  return {
    delivery: id,
    address,
    text: content.text,
    seq,
    notice,
    mayBeDuplicate,
    answers,
    files: content.files ?? [],
  };
}
