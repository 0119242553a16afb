/**
 * What Telegram tells of (core.telegram.org/bots/api#update), read with suspicion: whoever writes to a bot decides what
 * most of it holds. Never throws; what cannot be read is `other`, so that it is acknowledged and does not come for ever.
 */
import type { Bot } from './settings.ts';

/** A file that stands in a message: what it is called here, and how to get it. */
export type Attached = { what: string; fileId: string; name: string; mime: string; bytes: number | null };
export type Message = {
  chat: string;
  /** A private chat: its sender is alone with the bot. */
  direct: boolean;
  messageId: number;
  thread: string | null;
  sender: string;
  senderName: string;
  text: string;
  attached: Attached[];
};
export type Update =
  | { type: 'message'; message: Message }
  | { type: 'click'; callbackId: string }
  | { type: 'edit' | 'reaction' }
  | { type: 'other'; why: string };

type Fields = Readonly<Record<string, unknown>>;
const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {});
const integer = (value: unknown): number | null => (Number.isSafeInteger(value) ? (value as number) : null);
const string = (value: unknown): string => (typeof value === 'string' ? value : '');

/** What acknowledges an update; null where it is none. */
export const updateId = (raw: unknown): number | null => integer(fields(raw).update_id);

export function parseUpdate(raw: unknown, bot: Bot): Update {
  const update = fields(raw);
  if (update.message !== undefined) return parseMessage(fields(update.message), bot);
  if (update.edited_message !== undefined) return { type: 'edit' };
  if (update.message_reaction !== undefined) return { type: 'reaction' };
  const callbackId = string(fields(update.callback_query).id);
  if (callbackId !== '' && callbackId.length <= 64) return { type: 'click', callbackId };
  return { type: 'other', why: 'a kind that was not asked for' };
}

function parseMessage(it: Fields, bot: Bot): Update {
  const from = fields(it.from);
  const chat = fields(it.chat);
  const [chatId, senderId, messageId] = [integer(chat.id), integer(from.id), integer(it.message_id)];
  if (chatId === null || senderId === null || messageId === null) return { type: 'other', why: 'ids are missing' };
  if (from.is_bot !== false) return { type: 'other', why: 'another bot' };
  const kind = string(chat.type);
  if (!['private', 'group', 'supergroup'].includes(kind)) return { type: 'other', why: 'no chat of people' };
  const attached = attachedTo(it);
  const words = ownCommand(string(it.text) || string(it.caption), bot);
  if (words === null) return { type: 'other', why: 'a command for another bot' };
  const text = [words, ...shownAs(it)].filter((part) => part.trim() !== '').join('\n');
  if (text === '' && attached.length === 0) return { type: 'other', why: 'nothing that anybody wrote' };
  const topic = it.is_topic_message === true ? integer(it.message_thread_id) : null;
  const message: Message = {
    chat: String(chatId),
    direct: kind === 'private' && chatId === senderId,
    messageId,
    thread: topic === null ? null : String(topic),
    sender: `telegram:${senderId}`,
    senderName: string(from.first_name).toWellFormed().slice(0, 100) || String(senderId),
    text,
    attached,
  };
  return { type: 'message', message };
}

const COMMAND = /^(\/[a-z0-9_]{1,32})(?:@([a-z0-9_]{1,64}))?(?=\s|$)/i;

/** `/stop@our_bot` is `/stop`, a bare `/start` asks for help. Null for a command that names another bot. */
function ownCommand(text: string, bot: Bot): string | null {
  const match = COMMAND.exec(text);
  if (!match) return text;
  const [whole, command = '', named] = match;
  if (named !== undefined && named.toLowerCase() !== bot.username.toLowerCase()) return null;
  const plain = `${command.toLowerCase()}${text.slice(whole.length)}`;
  return plain.trim() === '/start' ? '/help' : plain;
}

/** What has no text of its own and is no file. */
function shownAs(it: Fields): string[] {
  const emoji = string(fields(it.sticker).emoji);
  const { latitude, longitude } = fields(it.location);
  return [
    it.sticker === undefined ? '' : `[sticker ${emoji.slice(0, 16)}]`,
    typeof latitude === 'number' && typeof longitude === 'number' ? `[location ${latitude}, ${longitude}]` : '',
    it.contact === undefined ? '' : '[contact not taken in]',
    it.poll === undefined ? '' : '[poll not taken in]',
  ];
}

const FILES: Readonly<Record<string, readonly [name: string, mime: string]>> = {
  document: ['document', 'application/octet-stream'],
  voice: ['voice.ogg', 'audio/ogg'],
  audio: ['audio.mp3', 'audio/mpeg'],
  video: ['video.mp4', 'video/mp4'],
  video_note: ['video-note.mp4', 'video/mp4'],
};

function attachedTo(it: Fields): Attached[] {
  const found: Attached[] = [];
  const take = (what: string, value: unknown, [name, mime]: readonly [string, string]): void => {
    const file = fields(value);
    const fileId = string(file.file_id);
    if (fileId === '' || fileId.length > 500) return;
    const given = string(file.file_name).toWellFormed().slice(0, 200) || name;
    const type = string(file.mime_type).slice(0, 100) || mime;
    found.push({ what: what.replace('_', ' '), fileId, name: given, mime: type, bytes: integer(file.file_size) });
  };
  // The same photo in several sizes, the largest last.
  if (Array.isArray(it.photo)) take('photo', it.photo.at(-1), ['photo.jpg', 'image/jpeg']);
  // An animation comes as a document too.
  for (const [what, known] of Object.entries(FILES)) take(what, it[what], known);
  return found;
}
