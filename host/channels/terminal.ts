/**
 * The terminal as a channel: a chat is `terminal:<agent>`, whoever is connected to it receives. A delivery has arrived
 * when a client names it; with nobody connected it waits.
 */
import type { Address } from '@halfdoor/protocol/message';
import type { Capabilities, Channel, ChannelStatus, Outgoing, Sent } from './channel.ts';

export type TerminalClient = { show(outgoing: Outgoing): void };

type Pending = { outgoing: Outgoing; shownTo: Set<TerminalClient>; settle(sent: Sent): void };

const CAPABILITIES: Capabilities = {
  idempotent: false,
  maxTextLength: Number.MAX_SAFE_INTEGER,
  canEdit: false,
  canDelete: false,
  canReact: false,
  canType: false,
  canOpenDM: false,
  hasFiles: true,
  hasButtons: false,
  threads: false,
};

export class TerminalChannel implements Channel {
  readonly name = 'terminal';
  readonly capabilities = CAPABILITIES;
  readonly #since: string;
  readonly #clients = new Map<string, Set<TerminalClient>>();
  readonly #pending = new Map<string, Pending>();
  readonly #onReady: (address: Address) => void;

  /** `onReady` is called when somebody came to a chat whose queue may be parked. */
  constructor(onReady: (address: Address) => void, since: string) {
    this.#onReady = onReady;
    this.#since = since;
  }

  /** Its platform is the host's own socket. */
  status(): ChannelStatus {
    return { state: 'connected', since: this.#since, lastError: null };
  }

  start(): void {}

  stop(): Promise<void> {
    return Promise.resolve();
  }

  /** Connects a client; returns what disconnects it. */
  connect(chat: string, client: TerminalClient): () => void {
    const clients = this.#clients.get(chat) ?? new Set();
    this.#clients.set(chat, clients.add(client));
    for (const pending of this.#pending.values()) {
      if (pending.outgoing.address.chat === chat) this.#show(pending, client);
    }
    this.#onReady({ channel: this.name, chat, thread: null });
    return () => this.#disconnect(chat, client);
  }

  #show(pending: Pending, client: TerminalClient): void {
    pending.shownTo.add(client);
    client.show(pending.outgoing);
  }

  #disconnect(chat: string, client: TerminalClient): void {
    const clients = this.#clients.get(chat);
    clients?.delete(client);
    if (clients?.size === 0) this.#clients.delete(chat);
    for (const pending of [...this.#pending.values()]) {
      pending.shownTo.delete(client);
      if (pending.shownTo.size === 0) pending.settle({ status: 'nobody', maybeSeen: true });
    }
  }

  ready(address: Address): boolean {
    return this.#clients.has(address.chat);
  }

  send(outgoing: Outgoing): Promise<Sent> {
    const clients = this.#clients.get(outgoing.address.chat);
    if (!clients) return Promise.resolve({ status: 'nobody', maybeSeen: false });
    return new Promise((resolve) => {
      const settle = (sent: Sent): void => {
        this.#pending.delete(outgoing.delivery);
        resolve(sent);
      };
      const pending: Pending = { outgoing, shownTo: new Set(), settle };
      this.#pending.set(outgoing.delivery, pending);
      for (const client of clients) this.#show(pending, client);
    });
  }

  /** A client confirms a delivery. False when it was not under way here. */
  received(delivery: string): boolean {
    const pending = this.#pending.get(delivery);
    pending?.settle({ status: 'sent', platformId: null });
    return pending !== undefined;
  }

  /** Ends what is under way at shutdown: it may have been seen. */
  close(): Promise<void> {
    for (const pending of [...this.#pending.values()]) pending.settle({ status: 'nobody', maybeSeen: true });
    return Promise.resolve();
  }
}
