/** One update → the host, whichever way it came. What the host has no use for yet is acknowledged and noted. */
import type { ChannelHost, Incoming, Taken } from '../channel-host.ts';
import type { BotApi } from './call.ts';
import type { Bot } from './settings.ts';
import { parseUpdate, type Message } from './update.ts';

export class Incomings {
  readonly #host: ChannelHost;
  readonly #api: BotApi;
  readonly #bot: Bot;

  constructor(host: ChannelHost, api: BotApi, bot: Bot) {
    this.#host = host;
    this.#api = api;
    this.#bot = bot;
  }

  /** True once it may be acknowledged. Never rejects. */
  async take(raw: unknown): Promise<boolean> {
    const update = parseUpdate(raw, this.#bot);
    switch (update.type) {
      case 'message':
        return this.#message(update.message);
      case 'click':
        // Until it is answered, the button goes on turning on the person's screen.
        await this.#api.call('answerCallbackQuery', { callback_query_id: update.callbackId });
        this.#host.log.info('a click was not used');
        return true;
      case 'edit':
      case 'reaction':
        this.#host.log.info('not used', { update: update.type });
        return true;
      case 'other':
        this.#host.log.info('an update was passed over', { why: update.why });
        return true;
    }
  }

  async #message(message: Message): Promise<boolean> {
    const taken = await this.#host.accept(incoming(this.#host.name, message));
    if (taken.status === 'not-now') return false;
    if (taken.status === 'refused') await this.#tell(message, taken);
    return true;
  }

  /** Somebody who is known hears why, in their own chat. A stranger hears nothing, not even that there is somebody here. */
  async #tell({ chat, direct, thread }: Message, { code, reason, next }: Extract<Taken, { status: 'refused' }>) {
    if (!direct || code === 'forbidden') return;
    const text = `Not taken: ${reason}. ${next}`.slice(0, 4096);
    await this.#api.call('sendMessage', { chat_id: chat, message_thread_id: numberOf(thread), text });
  }
}

export const numberOf = (thread: string | null): number | undefined => (thread === null ? undefined : Number(thread));

/** A message's own name: the same in every update that brings it. */
export const platformId = (chat: string, messageId: number): string => `${chat}:${messageId}`;

function incoming(channel: string, it: Message): Incoming {
  const { chat, thread, sender, senderName, direct } = it;
  const missing = it.attached.map(({ what }) => `[${what} not taken in]`);
  const text = [it.text, ...missing].filter((part) => part !== '').join('\n');
  const id = platformId(chat, it.messageId);
  return { address: { channel, chat, thread }, platformId: id, sender, senderName, direct, text };
}
