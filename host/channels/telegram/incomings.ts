/** One update → the host, whichever way it came. What the host has no use for yet is acknowledged and noted. */
import type { Address } from '@halfdoor/protocol/message';
import type { ChannelHost, Incoming, Taken } from '../channel-host.ts';
import type { BotApi } from './call.ts';
import { dropFiles, fetchFiles } from './files.ts';
import type { Bot } from './settings.ts';
import { parseUpdate, type Message } from './update.ts';

export type IncomingsDeps = {
  host: ChannelHost;
  api: BotApi;
  bot: Bot;
  /** Whether anything this sender says there is taken. */
  knows(address: Address, sender: string): Promise<boolean>;
};

/** With growing pauses, about a minute. */
const FETCH_TRIES = 8;

export class Incomings {
  readonly #deps: IncomingsDeps;
  /** The message whose files did not come the last time, and how often that was. */
  #waiting = { id: '', tries: 0 };

  constructor(deps: IncomingsDeps) {
    this.#deps = deps;
  }

  /** True once it may be acknowledged. Never rejects. */
  async take(raw: unknown): Promise<boolean> {
    const update = parseUpdate(raw, this.#deps.bot);
    const { api, host } = this.#deps;
    switch (update.type) {
      case 'message':
        return this.#message(update.message);
      case 'click':
        // Until it is answered, the button goes on turning on the person's screen.
        await api.call('answerCallbackQuery', { callback_query_id: update.callbackId });
        host.log.info('a click was not used');
        return true;
      case 'edit':
      case 'reaction':
        host.log.info('not used', { update: update.type });
        return true;
      case 'other':
        host.log.info('an update was passed over', { why: update.why });
        return true;
    }
  }

  async #message(message: Message): Promise<boolean> {
    const { host, api, knows } = this.#deps;
    const it = incoming(host.name, message);
    // Whoever is nobody here moves no bytes.
    const isKnown = message.attached.length > 0 && (await knows(it.address, it.sender));
    const { files, missing, mayComeYet } = await fetchFiles(host, api, isKnown ? message.attached : []);
    try {
      if (mayComeYet && this.#again(it.platformId)) return false;
      const text = [it.text, ...missing].filter((part) => part !== '').join('\n');
      const taken = await host.accept({ ...it, text, files });
      if (taken.status === 'not-now') return false;
      if (taken.status === 'refused') await this.#tell(message, taken);
      return true;
    } finally {
      await dropFiles(files);
    }
  }

  /** Whether to wait for its files once more: not for ever, or nothing behind it would come in. */
  #again(id: string): boolean {
    this.#waiting = { id, tries: this.#waiting.id === id ? this.#waiting.tries + 1 : 1 };
    return this.#waiting.tries < FETCH_TRIES;
  }

  /** Somebody who is known hears why, in their own chat. A stranger hears nothing, not even that there is somebody here. */
  async #tell({ chat, direct, thread }: Message, { code, reason, next }: Extract<Taken, { status: 'refused' }>) {
    if (!direct || code === 'forbidden') return;
    const text = `Not taken: ${reason}. ${next}`.slice(0, 4096);
    await this.#deps.api.call('sendMessage', { chat_id: chat, message_thread_id: numberOf(thread), text });
  }
}

export const numberOf = (thread: string | null): number | undefined => (thread === null ? undefined : Number(thread));

/** A message's own name: the same in every update that brings it. */
export const platformId = (chat: string, messageId: number): string => `${chat}:${messageId}`;

function incoming(channel: string, it: Message): Incoming {
  const { chat, thread, sender, senderName, direct, text } = it;
  const id = platformId(chat, it.messageId);
  return { address: { channel, chat, thread }, platformId: id, sender, senderName, direct, text };
}
