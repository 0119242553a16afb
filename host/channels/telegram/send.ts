/** What goes out (core.telegram.org/bots/api#sendmessage and its kin). */
import type { Address } from '@halfdoor/protocol/message';
import type { Button, Failed, Outgoing, OutgoingFile, Sent } from '../channel.ts';
import type { BotApi, Called, NotCalled } from './call.ts';
import { toHtml } from './format.ts';
import { numberOf, platformId } from './incomings.ts';
import { multipart } from './multipart.ts';
import { reactionFor } from './reactions.ts';
import { failedBy, isUnauthorized } from './trouble.ts';

export type SenderDeps = {
  api: BotApi;
  newId(): string;
  /** The token is refused: nothing can be sent to anybody. */
  onUnauthorized(address: Address, refused: NotCalled): void;
  onFailed(reason: string): void;
  warn(message: string): void;
};

/** UTF-16 code units after entities are parsed: "1-4096 characters". */
const MOST_CHARS = 4096;
const DUPLICATE = '(may be a duplicate)';
/** What a text may have, so that it can still say that it may be a duplicate. */
export const TEXT_CHARS = MOST_CHARS - DUPLICATE.length - 1;
export const FILE_BYTES = 50 * 1024 * 1024;
const PHOTO_BYTES = 10 * 1024 * 1024;
const PHOTOS: readonly string[] = ['image/jpeg', 'image/png', 'image/webp'];
/** A file of 50 MB over a slow line. */
const UPLOAD_MS = 5 * 60_000;
/** Deliveries of which some pieces have arrived and others not. */
const UNFINISHED = 1_000;

/** To show what is behind a link, Telegram would ask for it: an agent could say anything to anybody that way. */
const NO_PREVIEW = { link_preview_options: { is_disabled: true } };

type Params = Record<string, unknown>;
/** One call of a delivery: its text, or one of its files. */
type Piece = { type: 'text'; text: string } | { type: 'file'; file: OutgoingFile };

export class Sender {
  readonly #deps: SenderDeps;
  /** How many pieces of a delivery have arrived, so that the next try goes on behind them. */
  readonly #unfinished = new Map<string, { pieces: number; platformId: string | null }>();

  constructor(deps: SenderDeps) {
    this.#deps = deps;
  }

  /** Never rejects. */
  async send(it: Outgoing): Promise<Sent> {
    const pieces = piecesOf(it);
    const before = this.#unfinished.get(it.delivery);
    let named = before?.platformId ?? null;
    for (let n = before?.pieces ?? 0; n < pieces.length; n++) {
      const piece = pieces[n];
      if (piece === undefined) break;
      const called = await this.#piece(it, piece, n === 0);
      if (!called.ok) {
        const sent = this.#failed(it.address, called);
        if (n > 0 && (sent.status === 'nobody' || sent.transient)) this.#remember(it.delivery, n, named);
        else this.#unfinished.delete(it.delivery);
        return sent;
      }
      named ??= nameOf(it.address, called);
    }
    this.#unfinished.delete(it.delivery);
    return { status: 'sent', platformId: named };
  }

  #remember(delivery: string, pieces: number, named: string | null): void {
    this.#unfinished.set(delivery, { pieces, platformId: named });
    const [oldest] = this.#unfinished.keys();
    if (this.#unfinished.size > UNFINISHED && oldest !== undefined) this.#unfinished.delete(oldest);
  }

  #piece(it: Outgoing, piece: Piece, isFirst: boolean): Promise<Called> {
    const markup = isFirst && it.buttons.length > 0 ? { reply_markup: keyboard(it.buttons) } : {};
    const where = whereTo(it.address);
    return piece.type === 'text'
      ? this.#text('sendMessage', { ...where, ...markup }, piece.text)
      : this.#file({ ...where, ...markup }, piece.file);
  }

  /** Formatted; where Telegram cannot read that, or the topic is gone, as it can be shown at all. */
  async #text(method: string, params: Params, text: string): Promise<Called> {
    const html = toHtml(text);
    const formatted = html.trim() === '' ? { text } : { text: html, parse_mode: 'HTML' };
    const called = await this.#orWithoutTopic(params, (it) =>
      this.#deps.api.call(method, { ...it, ...formatted, ...NO_PREVIEW }),
    );
    if (called.ok || called.by === 'network' || !/can't parse entities|text is empty|too long/.test(called.said)) {
      return called;
    }
    this.#deps.warn('a text went out without its format');
    return this.#orWithoutTopic(params, (it) => this.#deps.api.call(method, { ...it, text, ...NO_PREVIEW }));
  }

  async #file(params: Params, file: OutgoingFile): Promise<Called> {
    const isPhoto = PHOTOS.includes(file.mime) && file.bytes <= PHOTO_BYTES;
    const called = await this.#orWithoutTopic(params, (it) => this.#upload(isPhoto ? 'Photo' : 'Document', it, file));
    // A picture whose sides Telegram does not like still is a file.
    if (called.ok || called.by === 'network' || !isPhoto || !/PHOTO|IMAGE_PROCESS|dimensions/.test(called.said)) {
      return called;
    }
    return this.#orWithoutTopic(params, (it) => this.#upload('Document', it, file));
  }

  #upload(kind: 'Photo' | 'Document', params: Params, file: OutgoingFile): Promise<Called> {
    const fields = Object.entries(params).map(([name, value]) => [name, fieldOf(value)] as const);
    const raw = multipart(Object.fromEntries(fields), kind.toLowerCase(), file, this.#deps.newId());
    return this.#deps.api.call(`send${kind}`, {}, { raw, deadlineMs: UPLOAD_MS });
  }

  /** A topic may be deleted while its answer is written: the chat is still there. */
  async #orWithoutTopic(params: Params, call: (params: Params) => Promise<Called>): Promise<Called> {
    const called = await call(params);
    if (called.ok || called.by === 'network' || params.message_thread_id === undefined) return called;
    if (!/message thread not found|TOPIC_DELETED/.test(called.said)) return called;
    this.#deps.warn('a topic is gone: its message went to the chat');
    return call({ ...params, message_thread_id: undefined });
  }

  async edit(address: Address, id: string, text: string): Promise<Sent> {
    const params = { chat_id: address.chat, message_id: messageIn(id) };
    const called = await this.#text('editMessageText', params, text.slice(0, MOST_CHARS));
    if (!called.ok && called.by === 'telegram' && /message is not modified/.test(called.said)) return sent(id);
    return called.ok ? sent(id) : this.#failed(address, called);
  }

  async delete(address: Address, id: string): Promise<Sent> {
    const called = await this.#deps.api.call('deleteMessage', { chat_id: address.chat, message_id: messageIn(id) });
    if (!called.ok && called.by === 'telegram' && /message to delete not found/.test(called.said)) return sent(id);
    return called.ok ? sent(id) : this.#failed(address, called);
  }

  async react(address: Address, id: string, emoji: string | null): Promise<Sent> {
    const allowed = emoji === null ? null : reactionFor(emoji);
    if (emoji !== null && allowed === null) return refused(`Telegram takes no reaction ${emoji.slice(0, 16)}`);
    const reaction = allowed === null ? [] : [{ type: 'emoji', emoji: allowed }];
    const params = { chat_id: address.chat, message_id: messageIn(id), reaction };
    const called = await this.#deps.api.call('setMessageReaction', params);
    return called.ok ? sent(id) : this.#failed(address, called);
  }

  async type(address: Address): Promise<void> {
    await this.#deps.api.call('sendChatAction', { ...whereTo(address), action: 'typing' });
  }

  /** `telegram:<id>`, or the id alone. A private chat has the number of its person. */
  async openDM(channel: string, user: string): Promise<{ status: 'open'; address: Address } | Failed> {
    const chat = user.replace(/^telegram:/, '');
    if (!/^\d{1,20}$/.test(chat)) return refused('this is no Telegram user');
    const called = await this.#deps.api.call('getChat', { chat_id: chat });
    const address = { channel, chat, thread: null };
    if (called.ok) return { status: 'open', address };
    const failed = this.#failed(address, called);
    return failed.status === 'failed' ? failed : { ...refused('Telegram does not take the token'), transient: true };
  }

  /** With a refused token everything waits: a new one can be set. */
  #failed(address: Address, called: NotCalled): Failed | { status: 'nobody'; maybeSeen: false } {
    if (!isUnauthorized(called)) {
      const failed = failedBy(called);
      this.#deps.onFailed(failed.reason);
      return failed;
    }
    this.#deps.onUnauthorized(address, called);
    return { status: 'nobody', maybeSeen: false };
  }
}

const sent = (id: string): Sent => ({ status: 'sent', platformId: id });
const refused = (reason: string): Failed => ({
  ...{ status: 'failed', transient: false, reason },
  ...{ maybeSeen: false, retryAfterMs: null },
});

function piecesOf({ text, files, mayBeDuplicate }: Outgoing): Piece[] {
  const whole = mayBeDuplicate ? `${text}\n${DUPLICATE}` : text;
  const pieces: Piece[] = files.map((file) => ({ type: 'file', file }));
  return whole.trim() === '' ? pieces : [{ type: 'text', text: whole }, ...pieces];
}

const whereTo = ({ chat, thread }: Address): Params => ({ chat_id: chat, message_thread_id: numberOf(thread) });

const keyboard = (buttons: readonly Button[]): Params => ({
  inline_keyboard: buttons.map(({ id, label }) => [{ text: label, callback_data: id }]),
});

const fieldOf = (value: unknown): string | undefined =>
  value === undefined ? undefined : typeof value === 'string' ? value : JSON.stringify(value);

const messageIn = (id: string): number => Number(id.slice(id.lastIndexOf(':') + 1));

function nameOf({ chat }: Address, { result }: Extract<Called, { ok: true }>): string | null {
  const { message_id: id } = Object(result) as { message_id?: unknown };
  return typeof id === 'number' ? platformId(chat, id) : null;
}
