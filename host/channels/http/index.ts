/**
 * Any program as a platform: it sends messages by HTTP, and has what is said to it posted to its callback, or reads it as
 * server-sent events. A receiver that drops the ids it knows sees each delivery once; as nobody can know that it does, a
 * second copy says that it may be one.
 */
import type { Address } from '@halfdoor/protocol/message';
import type { Capabilities, Channel, ChannelStatus, Outgoing, Sent } from '../channel.ts';
import type { ChannelHost, Taken, Web } from '../channel-host.ts';
import { EventStreams } from './events.ts';
import { routes } from './routes.ts';
import { post } from './send.ts';
import { signatureHeaders } from './sign.ts';
import { said, type HttpSide } from './types.ts';

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
  threads: true,
};

export class HttpChannel implements Channel {
  readonly name: string;
  readonly capabilities = CAPABILITIES;
  readonly #host: ChannelHost;
  readonly #side: HttpSide;
  readonly #web: Web;
  readonly #streams: EventStreams;
  readonly #ended = new AbortController();
  readonly #handedIn = new Set<Promise<Taken>>();
  /** The newest failure of each callback, until it takes one. */
  readonly #failing = new Map<string, NonNullable<ChannelStatus['lastError']>>();
  #stopped = false;
  #leave: (() => void)[] = [];

  constructor(host: ChannelHost, side: HttpSide, web: Web) {
    this.name = host.name;
    this.#host = host;
    this.#side = side;
    this.#web = web;
    this.#streams = new EventStreams({ host, side, ready: (chat) => host.ready(this.#address(chat)) });
  }

  #address(chat: string): Address {
    return { channel: this.name, chat, thread: null };
  }

  status(): ChannelStatus {
    const status = this.#web.status();
    return { ...status, lastError: status.lastError ?? [...this.#failing.values()].at(-1) ?? null };
  }

  start(): void {
    const app = routes({
      host: this.#host,
      side: this.#side,
      streams: this.#streams,
      handedIn: this.#handedIn,
      isStopped: () => this.#stopped,
    });
    const handle = (request: Request, wire: object) => Promise.resolve(app.fetch(request, wire));
    const changed = (chat: string): void => {
      this.#failing.delete(chat);
      this.#streams.cut(chat);
      this.#host.ready(this.#address(chat));
    };
    this.#leave = [
      this.#web.mount('/v1/chats', handle),
      this.#web.mount('/openapi.json', handle),
      this.#side.onChange(changed),
    ];
  }

  /** With a callback it can be tried at any time; events need somebody who reads them. After the end nothing can. */
  ready({ chat }: Address): boolean {
    if (this.#ended.signal.aborted) return false;
    const it = this.#side.chat(chat);
    return it !== undefined && (it.callback !== null || this.#streams.ready(chat));
  }

  async send(outgoing: Outgoing): Promise<Sent> {
    try {
      return await this.#send(outgoing);
    } catch (error) {
      return { status: 'failed', transient: true, reason: String(error), maybeSeen: false, retryAfterMs: null };
    }
  }

  async #send(outgoing: Outgoing): Promise<Sent> {
    const { chat } = outgoing.address;
    const it = this.#side.chat(chat);
    if (it === undefined || this.#ended.signal.aborted) return { status: 'nobody', maybeSeen: false };
    const from = await this.#side.sayer(outgoing.delivery);
    if (it.callback === null) return this.#streams.send(outgoing, from);
    const secret = this.#side.signing(chat);
    if (!secret.ok)
      return { status: 'failed', transient: true, reason: secret.fault, maybeSeen: false, retryAfterMs: null };
    const body = JSON.stringify(said(outgoing, from));
    const signature = signatureHeaders(secret.value, outgoing.delivery, this.#host.now(), body);
    const headers = { 'idempotency-key': outgoing.delivery, ...signature };
    const sent = await post(this.#host, { url: it.callback, headers, body, signal: this.#ended.signal });
    this.#note(chat, sent);
    return sent;
  }

  #note(chat: string, sent: Sent): void {
    this.#failing.delete(chat);
    if (sent.status !== 'failed') return;
    const next = 'Look at the receiver; what was given up: ./halfdoor dead list';
    this.#failing.set(chat, { at: this.#host.now().toISOString(), text: `${chat}: ${sent.reason}`, next });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#handedIn);
  }

  close(): Promise<void> {
    this.#stopped = true;
    for (const leave of this.#leave) leave();
    this.#leave = [];
    this.#streams.close();
    this.#ended.abort();
    return Promise.resolve();
  }
}
