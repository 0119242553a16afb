/**
 * Inbound rows as they come in. Reads only what is above the last row it has read; what is not settled yet is kept here,
 * so that a look costs the same with ten rows of history and with a hundred thousand.
 */
import { join } from 'node:path';
import { LIMITS } from '@halfdoor/protocol/limits';
import type { Destination, InboundMessage, Routing } from '@halfdoor/protocol/message';
import type { InboundReader } from '@halfdoor/protocol/runner';
import { Zone } from './zone.ts';

const PAGE = 200;

/** Where a prompt is read: who the agent can talk to, whose time it is told, what folder of a person it works on. */
export type Around = { destinations: Destination[]; zone: Zone; folder: Routing['folder'] };

export class Intake {
  readonly #inbound: InboundReader;
  readonly #base: string;
  readonly #isSettled: (id: string) => boolean;
  readonly #threads = new Map<string, string | null>();
  #waiting: InboundMessage[] = [];
  #highest = 0;
  #first = true;
  #beganAt = 0;
  #zone: Zone | null = null;

  /** `base`: where the session's folder is for this run. */
  constructor(inbound: InboundReader, base: string, isSettled: (id: string) => boolean) {
    this.#inbound = inbound;
    this.#base = base;
    this.#isSettled = isSettled;
  }

  /** Takes in what is new. Returns the new control rows; they come before everything else. */
  look(): (InboundMessage & { kind: 'control' })[] {
    const controls: (InboundMessage & { kind: 'control' })[] = [];
    for (;;) {
      const rows = this.#inbound.messagesAbove(this.#highest, PAGE);
      for (const row of rows) {
        this.#highest = row.seq;
        // Only rows that were there before this run began can be settled already.
        if (row.withdrawn || (this.#first && this.#isSettled(row.id))) continue;
        if (row.kind === 'control') controls.push(row);
        else this.#keep({ ...row, files: row.files.map((it) => ({ ...it, path: join(this.#base, it.path) })) });
      }
      if (rows.length < PAGE) break;
    }
    if (this.#first) this.#beganAt = this.#highest;
    this.#first = false;
    return controls;
  }

  #keep(row: InboundMessage): void {
    this.#waiting.push(row);
    if (row.address) this.#threads.set(chatKey(row.address), row.address.thread);
  }

  /** Highest inbound seq taken in. */
  get highest(): number {
    return this.#highest;
  }

  /** Whether an earlier run can have seen this one: it was there when this run began. */
  isOlderThanRun(message: InboundMessage): boolean {
    return message.seq <= this.#beganAt;
  }

  /** Everything not settled, oldest first. */
  get waiting(): readonly InboundMessage[] {
    return this.#waiting;
  }

  settled(ids: ReadonlySet<string>): void {
    this.#waiting = this.#waiting.filter((it) => !ids.has(it.id));
  }

  /**
   * The next batch: waking messages, oldest first, and the silent ones before the last of them as context. Empty when
   * nothing wakes. Silent rows never push a waking one out.
   */
  batch(): InboundMessage[] {
    const waking = this.#waiting.filter((it) => it.wakes).slice(0, LIMITS.batchMessages);
    const last = waking.at(-1);
    if (!last) return [];
    const room = LIMITS.batchMessages - waking.length;
    const silent = this.#waiting.filter((it) => !it.wakes && it.seq < last.seq);
    const context = room > 0 ? silent.slice(-room) : [];
    return [...waking, ...context].sort((a, b) => a.seq - b.seq);
  }

  /** Thread of the last message from this chat; null when none came or it had none. */
  threadOf(destination: Destination): string | null {
    return this.#threads.get(chatKey(destination.address)) ?? null;
  }

  /** As it stands in the file now. */
  around(): Around {
    const { destinations, routing } = this.#inbound.around();
    if (this.#zone?.name !== routing.zone) this.#zone = new Zone(routing.zone);
    return { destinations, zone: this.#zone, folder: routing.folder };
  }

  /** As they stand in the file now. */
  destinations(): Destination[] {
    return this.#inbound.destinations();
  }

  routing(): Routing {
    return this.#inbound.routing();
  }
}

const chatKey = (address: { channel: string; chat: string }): string => JSON.stringify([address.channel, address.chat]);
