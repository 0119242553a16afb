/** Telegram, by its Bot API. One bot is one channel; a private chat or a group with it is a chat, a topic a thread. */
import type { Address } from '@halfdoor/protocol/message';
import type { Capabilities, Channel, ChannelStatus, Failed, Outgoing, Sent } from '../channel.ts';
import type { ChannelHost, Web } from '../channel-host.ts';
import { makeBotApi, type NotCalled } from './call.ts';
import { Incomings } from './incomings.ts';
import { Receiver } from './receive.ts';
import { Sender, TEXT_CHARS } from './send.ts';
import { parseSettings, tokenName, webhookPath, webhookSecretName, type TelegramSettings } from './settings.ts';
import { Standing } from './standing.ts';
import { troubleOf } from './trouble.ts';
import { answerWebhook } from './webhook.ts';

/** What it has beside `ChannelHost`. */
export type TelegramDeps = {
  /** A kept secret, as it stands now; null when there is none. */
  secret(name: string): string | null;
  /** Whether anything this sender says there is taken. */
  knows(address: Address, sender: string): Promise<boolean>;
  /** Where a webhook comes in. */
  web: Web;
};

const CAPABILITIES: Capabilities = {
  idempotent: false,
  maxTextLength: TEXT_CHARS,
  canEdit: true,
  canDelete: true,
  canReact: true,
  canType: true,
  canOpenDM: true,
  hasFiles: true,
  hasButtons: true,
  threads: true,
};

/** Throws when the settings are not those of a Telegram bot. */
export function openTelegram(host: ChannelHost, settings: unknown, deps: TelegramDeps): Channel {
  return new TelegramChannel(host, parseSettings(settings), deps);
}

export class TelegramChannel implements Channel {
  readonly name: string;
  readonly capabilities = CAPABILITIES;
  /** "The status is set for 5 seconds or less" (core.telegram.org/bots/api#sendchataction). */
  readonly typingMs = 5_000;
  readonly #host: ChannelHost;
  readonly #deps: TelegramDeps;
  readonly #settings: TelegramSettings;
  readonly #standing: Standing;
  readonly #incomings: Incomings;
  readonly #receiver: Receiver;
  readonly #sender: Sender;
  /** Chats whose queues wait for a token that Telegram takes. */
  readonly #parked = new Map<string, Address>();
  readonly #closed = new AbortController();
  #unauthorized = false;
  #taking = false;
  #unmount = (): void => {};

  constructor(host: ChannelHost, settings: TelegramSettings, deps: TelegramDeps) {
    this.name = host.name;
    this.#host = host;
    this.#deps = deps;
    this.#settings = settings;
    this.#standing = new Standing(host);
    const token = (): string | null => deps.secret(tokenName(host.name));
    const closed = this.#closed.signal;
    const api = makeBotApi({ baseUrl: settings.baseUrl, token, after: (ms, fn) => host.after(ms, fn), closed });
    this.#incomings = new Incomings({
      host,
      api,
      bot: settings.bot,
      knows: (address, sender) => deps.knows(address, sender),
    });
    this.#receiver = new Receiver({
      ...{ host, api, standing: this.#standing, incomings: this.#incomings, tokenName: tokenName(host.name) },
      onConnected: () => this.#connected(),
      webhook: settings.webhook === null ? null : { url: settings.webhook, secret: () => this.#webhookSecret() },
    });
    this.#sender = new Sender({
      ...{ api, newId: () => host.newId() },
      onUnauthorized: (address, refused) => this.#refused(address, refused),
      onFailed: (text) => this.#standing.note(text, 'It stands with the message: ./halfdoor trace ID'),
      warn: (message) => host.log.warn(message),
    });
  }

  /** A webhook that nobody listens for is none. */
  status(): ChannelStatus {
    const listening = this.#settings.webhook === null || !this.#taking ? null : this.#deps.web.status();
    return listening?.state === 'broken' ? listening : this.#standing.status;
  }

  ready(address: Address): boolean {
    if (this.#unauthorized) this.#parked.set(address.chat, address);
    return !this.#unauthorized;
  }

  #refused(address: Address, refused: NotCalled): void {
    this.#unauthorized = true;
    this.#parked.set(address.chat, address);
    this.#standing.failed(troubleOf(refused, this.name, tokenName(this.name)));
    if (this.#taking) this.#receiver.look();
  }

  #connected(): void {
    this.#unauthorized = false;
    const parked = [...this.#parked.values()];
    this.#parked.clear();
    for (const address of parked) this.#host.ready(address);
  }

  #webhookSecret(): string | null {
    return this.#deps.secret(webhookSecretName(this.name));
  }

  start(): void {
    if (this.#taking) return;
    this.#taking = true;
    const { webhook } = this.#settings;
    if (webhook !== null) {
      const names = [new URL(webhook).hostname];
      this.#unmount = this.#deps.web.mount(webhookPath(this.name), (request) => this.handle(request), names);
    }
    this.#receiver.start();
  }

  /** One update that Telegram posts. */
  handle(request: Request): Promise<Response> {
    const secret = (): string | null => this.#webhookSecret();
    return answerWebhook({ incomings: this.#incomings, secret, taking: () => this.#taking }, request);
  }

  async stop(): Promise<void> {
    this.#taking = false;
    this.#unmount();
    await this.#receiver.stop();
  }

  async close(): Promise<void> {
    await this.stop();
    this.#closed.abort();
  }

  send(outgoing: Outgoing): Promise<Sent> {
    return this.#sender.send(outgoing);
  }

  edit(address: Address, platformId: string, text: string): Promise<Sent> {
    return this.#sender.edit(address, platformId, text);
  }

  delete(address: Address, platformId: string): Promise<Sent> {
    return this.#sender.delete(address, platformId);
  }

  react(address: Address, platformId: string, emoji: string | null): Promise<Sent> {
    return this.#sender.react(address, platformId, emoji);
  }

  type(address: Address): Promise<void> {
    return this.#sender.type(address);
  }

  openDM(user: string): Promise<{ status: 'open'; address: Address } | Failed> {
    return this.#sender.openDM(this.name, user);
  }
}
