/**
 * Replies as server-sent events. Each has its position as id: a client that comes back with the last one it has misses
 * nothing and gets nothing twice. A delivery has arrived when one client's socket has taken it.
 */
import type { ServerResponse } from 'node:http';
import type { Outgoing, Sent } from '../channel.ts';
import type { ChannelHost } from '../channel-host.ts';
import { Client } from './client.ts';
import { said, type HttpSide, type Said } from './types.ts';

type EventsDeps = { host: Pick<ChannelHost, 'after' | 'log'>; side: HttpSide; ready(chat: string): void };
type Pending = { said: Said; shownTo: Set<Client>; settle(sent: Sent): void };

const CLIENTS_PER_CHAT = 16;
const PAGE = 50;

export class EventStreams {
  readonly #deps: EventsDeps;
  readonly #clients = new Map<string, Set<Client>>();
  readonly #pending = new Map<string, Pending>();

  constructor(deps: EventsDeps) {
    this.#deps = deps;
  }

  ready(chat: string): boolean {
    return this.#clients.has(chat);
  }

  isFull(chat: string): boolean {
    return (this.#clients.get(chat)?.size ?? 0) >= CLIENTS_PER_CHAT;
  }

  /** `after`: the position up to which the client has everything; null: from now on, and what waits. */
  connect(chat: string, outgoing: ServerResponse, after: number | null): void {
    const { host, side, ready } = this.#deps;
    if (outgoing.socket?.destroyed !== false) return; // gone before it was answered: nothing would tell of its end
    const client = new Client(outgoing, host, after);
    this.#clients.set(chat, (this.#clients.get(chat) ?? new Set()).add(client));
    const stopProgress = side.onProgress(chat, (state, since) => client.progress(state, since));
    outgoing.on('close', () => {
      stopProgress();
      this.#disconnect(chat, client);
    });
    ready(chat);
    this.#catchUp(chat, client).catch((error: unknown) => {
      host.log.error('a client could not catch up', { chat, error: String(error) });
      client.cut();
    });
  }

  /** History first, page by page, as fast as the client reads; what is sent meanwhile is part of it. */
  async #catchUp(chat: string, client: Client): Promise<void> {
    while (client.cursor !== null && !client.gone) {
      client.isBehind = false;
      const page = await this.#deps.side.history(chat, client.cursor, PAGE);
      for (const it of page) if (!(await client.show(it))) return;
      if (page.length === 0 && !client.isBehind) break;
    }
    client.isLive = true;
    for (const pending of this.#pending.values()) if (pending.said.chat === chat) this.#show(pending, client);
  }

  send(outgoing: Outgoing, from: string): Promise<Sent> {
    const { chat } = outgoing.address;
    const clients = this.#clients.get(chat);
    if (!clients) return Promise.resolve({ status: 'nobody', maybeSeen: false });
    return new Promise((resolve) => {
      const settle = (sent: Sent): void => {
        this.#pending.delete(outgoing.delivery);
        resolve(sent);
      };
      const pending: Pending = { said: said(outgoing, from), shownTo: new Set(), settle };
      this.#pending.set(outgoing.delivery, pending);
      for (const client of clients) {
        if (client.isLive) this.#show(pending, client);
        else client.isBehind = true;
      }
    });
  }

  #show(pending: Pending, client: Client): void {
    pending.shownTo.add(client);
    void client.show(pending.said).then((flushed) => {
      if (flushed) pending.settle({ status: 'sent', platformId: null });
    });
  }

  #disconnect(chat: string, client: Client): void {
    const clients = this.#clients.get(chat);
    clients?.delete(client);
    if (clients?.size !== 0) return;
    this.#clients.delete(chat);
    for (const pending of [...this.#pending.values()]) {
      if (pending.said.chat !== chat) continue;
      // It may have been read as history.
      const maybeSeen = pending.shownTo.size > 0 || (client.cursor ?? 0) >= pending.said.position;
      pending.settle({ status: 'nobody', maybeSeen });
    }
  }

  /** Its clients must show their token again. */
  cut(chat: string): void {
    for (const client of this.#clients.get(chat) ?? []) client.cut();
  }

  close(): void {
    for (const chat of [...this.#clients.keys()]) for (const client of this.#clients.get(chat) ?? []) client.end();
    for (const pending of [...this.#pending.values()]) {
      pending.settle({ status: 'nobody', maybeSeen: pending.shownTo.size > 0 });
    }
  }
}
