/**
 * A Bot API of its own, strict about what it is asked (core.telegram.org/bots/api). It keeps what was sent to chats, holds
 * updates until a higher offset confirms them, and fails where it is told to.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { bad, no, readText, reply, type Done } from './telegram-answer.ts';
import { faultOf, METHODS, readParams } from './telegram-params.ts';

export const BOT = { id: 4242, is_bot: true, first_name: 'Helper', username: 'HelperTestBot' };
export const TOKEN = '4242:AAEhBOweik9ai2o-abcdefghijklmnopqrs';

type Params = Record<string, unknown>;
export type Asked = { method: string; params: Params };
export type Said = {
  chat: string;
  id: number;
  thread: number | null;
  text: string;
  tags: string[];
  file: string | null;
  fileBytes: number;
  buttons: string[];
};
/** How a call is answered instead; `drop`: it is done, and the connection breaks before the answer. */
export type Fault = { code: number; description: string; parameters?: object } | 'drop' | 'reset';

type Poll = { params: Params; answer(done: Done): void };

export class TelegramFake {
  token = TOKEN;
  readonly asked: Asked[] = [];
  readonly said: Said[] = [];
  readonly files = new Map<string, Buffer>();
  webhook: { url: string; secret: string } | null = null;
  /** Chats that exist for the bot, each with its topics. */
  readonly chats = new Map<string, Set<number>>();
  readonly blocked = new Set<string>();
  /** What is asked for is not answered, and what is confirmed by it is not heard. */
  deaf = false;
  /** Another program that polls with the same token. */
  rival = false;
  readonly #faults: { method: string; fault: Fault; skip: number }[] = [];
  readonly #server = createServer((incoming, outgoing) => void this.#serve(incoming, outgoing));
  readonly #waiting = new Set<() => void>();
  #updates: { update_id: number; [field: string]: unknown }[] = [];
  #poll: Poll | null = null;
  /** How often somebody came while it was cut off. */
  #cut: number | null = null;
  #nextUpdate = 1000;
  #nextMessage = 1;

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The call of this method after `skip` more fails so. */
  fail(method: string, fault: Fault, skip = 0): void {
    this.#faults.push({ method, fault, skip });
  }

  /** What a person writes to the bot. Returns the message's id. */
  write(from: { id: number; name?: string }, text: string, more: Params = {}): number {
    const chat = { id: from.id, type: 'private', first_name: from.name ?? 'Ann' };
    if (!this.chats.has(String(from.id))) this.chats.set(String(from.id), new Set());
    const message_id = this.#nextMessage++;
    const sender = { id: from.id, is_bot: false, first_name: from.name ?? 'Ann' };
    this.update({ message: { message_id, date: 1_790_000_000, chat, from: sender, text, ...more } });
    return message_id;
  }

  /** Any update at all. Returns it as it is sent. */
  update(fields: Params): Params {
    const update = { update_id: this.#nextUpdate++, ...fields };
    this.#updates.push(update);
    this.#answerPoll();
    this.#changed();
    return update;
  }

  /** The newest update, as it is sent. */
  get newest(): object {
    return this.#updates.at(-1) ?? {};
  }

  /** Whether somebody waits for updates. */
  get polling(): boolean {
    return this.#poll !== null;
  }

  /** Updates that nobody has confirmed yet. */
  get unconfirmed(): number {
    return this.#updates.length;
  }

  /** Every connection breaks from here on; resolves once it was tried again, so that the first break is known. */
  async cut(): Promise<void> {
    this.#cut = 0;
    this.#server.closeAllConnections();
    await this.until(() => (this.#cut ?? 0) > 1);
  }

  mend(): void {
    this.#cut = null;
  }

  textsTo(chat: number | string): string[] {
    return this.said.filter((it) => it.chat === String(chat)).map((it) => it.text);
  }

  /** Resolves with the first value that `pick` finds, now or after a call. */
  async until<T>(pick: () => T | undefined | false): Promise<T> {
    for (;;) {
      const changed = new Promise<void>((resolve) => this.#waiting.add(resolve));
      const found = pick();
      if (found !== undefined && found !== false) return found;
      await changed;
    }
  }

  #changed(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    if (this.#cut !== null) {
      this.#cut += 1;
      outgoing.socket?.destroy();
      return this.#changed();
    }
    const parts: Buffer[] = [];
    for await (const part of incoming as AsyncIterable<Buffer>) parts.push(part);
    const file = /^\/file\/bot([^/]+)\/(.+)$/.exec(incoming.url ?? '');
    if (file) {
      const content = file[1] === this.token ? this.files.get(decodeURIComponent(file[2] ?? '')) : undefined;
      outgoing.writeHead(content ? 200 : 404).end(content);
      return;
    }
    const [, token, method = ''] = /^\/bot([^/]+)\/(\w+)$/.exec(incoming.url ?? '') ?? [];
    const send = (done: Done): void => reply(outgoing, done);
    if (token !== this.token) return send(no(401, 'Unauthorized'));
    if (METHODS[method] === undefined) return send(no(404, 'Not Found'));
    const params = await readParams(incoming, Buffer.concat(parts));
    if (params === null) return send(bad("can't parse the request"));
    this.asked.push({ method, params });
    this.#call({ method, params }, send, outgoing);
    this.#changed();
  }

  #call({ method, params }: Asked, send: (done: Done) => void, outgoing: ServerResponse): void {
    const at = this.#faults.findIndex((it) => it.method === method);
    const planned = this.#faults[at];
    if (planned && planned.skip-- === 0) {
      this.#faults.splice(at, 1);
      const { fault } = planned;
      if (fault === 'drop') this.#do(method, params);
      if (typeof fault === 'string') return void outgoing.socket?.destroy();
      return send(no(fault.code, fault.description, fault.parameters));
    }
    const wrong = faultOf(method, params);
    if (wrong !== null) return send(bad(wrong));
    if (method !== 'getUpdates') return send(this.#do(method, params));
    outgoing.once('close', () => {
      if (this.#poll?.answer === send) this.#poll = null;
      this.#changed();
    });
    this.#getUpdates({ params, answer: send });
  }

  /** The newer poll wins; with a webhook there is none. */
  #getUpdates(poll: Poll): void {
    const busy = 'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running';
    const hooked =
      "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";
    if (this.webhook !== null) return poll.answer(no(409, hooked));
    if (this.rival) return poll.answer(no(409, busy));
    this.#poll?.answer(no(409, busy));
    this.#poll = poll;
    if (this.deaf) return;
    const { offset } = poll.params;
    if (typeof offset === 'number') this.#updates = this.#updates.filter((it) => it.update_id >= offset);
    if (this.#updates.length > 0 || !poll.params.timeout) return this.#answerPoll();
    const over = (): void => (this.#poll === poll ? this.#answerPoll() : undefined);
    setTimeout(over, Number(poll.params.timeout) * 1000).unref();
  }

  #answerPoll(): void {
    const poll = this.#poll;
    this.#poll = null;
    poll?.answer({ result: this.#updates.slice(0, Number(poll.params.limit ?? 100)) });
  }

  #do(method: string, params: Params): Done {
    const chat = String(params.chat_id);
    switch (method) {
      case 'getMe':
        return { result: BOT };
      case 'getWebhookInfo':
        return { result: { url: this.webhook?.url ?? '', pending_update_count: this.#updates.length } };
      case 'deleteWebhook':
        this.webhook = null;
        return { result: true };
      case 'setWebhook':
        if (!String(params.url).startsWith('https:'))
          return bad('bad webhook: An HTTPS URL must be provided for webhook');
        this.webhook = { url: String(params.url), secret: String(params.secret_token ?? '') };
        return { result: true };
      case 'answerCallbackQuery':
        return { result: true };
      case 'getFile':
        return this.files.has(String(params.file_id))
          ? { result: { file_id: params.file_id, file_path: params.file_id } }
          : bad('invalid file_id');
    }
    if (!this.chats.has(chat)) return bad('chat not found');
    if (this.blocked.has(chat)) return no(403, 'Forbidden: bot was blocked by the user');
    const thread = params.message_thread_id;
    if (thread !== undefined && !this.chats.get(chat)?.has(Number(thread))) return bad('message thread not found');
    return this.#inChat(method, chat, params);
  }

  #inChat(method: string, chat: string, params: Params): Done {
    const id = Number(params.message_id);
    const at = this.said.findIndex((it) => it.chat === chat && it.id === id);
    switch (method) {
      case 'sendMessage':
      case 'sendPhoto':
      case 'sendDocument':
        return this.#say(chat, params);
      case 'editMessageText': {
        const read = readText(params);
        const before = this.said[at];
        if ('code' in read) return read;
        if (!before) return bad('message to edit not found');
        if (before.text === read.text && before.tags.join() === read.tags.join())
          return bad('message is not modified: …');
        Object.assign(before, read);
        return { result: messageOf(before) };
      }
      case 'deleteMessage':
        if (at < 0) return bad('message to delete not found');
        this.said.splice(at, 1);
        return { result: true };
      case 'setMessageReaction':
        return id < this.#nextMessage ? { result: true } : bad('message to react not found');
      case 'sendChatAction':
        return params.action === 'typing' ? { result: true } : bad('wrong parameter action in request');
      default:
        return { result: { id: Number(chat), type: Number(chat) > 0 ? 'private' : 'supergroup' } };
    }
  }

  #say(chat: string, params: Params): Done {
    const file = (params.photo ?? params.document) as File | undefined;
    const read = file ? { text: '', tags: [] } : readText(params);
    if ('code' in read) return read;
    const rows = (params.reply_markup as { inline_keyboard?: { callback_data?: string }[][] })?.inline_keyboard ?? [];
    const buttons = rows.flat().map((it) => String(it.callback_data));
    if (buttons.some((it) => Buffer.byteLength(it) > 64 || it === '')) return bad('BUTTON_DATA_INVALID');
    const thread = params.message_thread_id === undefined ? null : Number(params.message_thread_id);
    const about = { file: file?.name ?? null, fileBytes: file?.size ?? 0, buttons };
    const said: Said = { chat, id: this.#nextMessage++, thread, ...read, ...about };
    this.said.push(said);
    return { result: messageOf(said) };
  }
}

const messageOf = ({ id, chat, text }: Said): object => ({ message_id: id, date: 1, chat: { id: Number(chat) }, text });

export async function openTelegram(t: TestContext): Promise<TelegramFake> {
  const fake = await new TelegramFake().open();
  t.after(() => fake.close());
  return fake;
}
