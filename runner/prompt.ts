/** What the model reads: who it can talk to, how, and the messages, all escaped so that no text can pass for structure. */
import type { Address, Destination, InboundFile, InboundMessage, RoutedFolder } from '@halfdoor/protocol/message';
import { sameChat } from '@halfdoor/protocol/message';
import { shownName } from '@halfdoor/protocol/file';
import type { Said } from './speaker.ts';
import type { Zone } from './zone.ts';

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
/** Control characters other than tab, line feed and carriage return. */
const UNSEEN = /(?![\t\n\r])\p{Cc}/gu;

/** Text for a model: markup escaped, control characters shown as what they are. */
export const escaped = (text: string): string =>
  text
    .replace(/[&<>"]/g, (char) => ENTITIES[char] ?? char)
    .replace(UNSEEN, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** The agent's own name for where a message came from; never a raw id. */
export function nameOf(address: Address, destinations: readonly Destination[]): string {
  const found = destinations.find((it) => sameChat(it.address, address));
  return found?.localName ?? `unknown:${address.channel}`;
}

/** Our part of the instructions, made anew for every query, followed by the agent's own. */
export function instructions(destinations: readonly Destination[], own: string, folder: RoutedFolder | null): string {
  const names = destinations.map((it) => `- ${it.localName}`).join('\n') || '- (none)';
  return [
    'You talk with people through named destinations. Only what you address is sent:',
    '<message to="destination">text</message>',
    'Everything else you write, and anything in <internal>…</internal>, stays with you. One answer may hold several',
    'messages. Answer to the destination a message came from unless asked otherwise. Do not escape the text.',
    'The tools send_message and send_file send at once, while you go on working. What came with a message is at the path',
    'of its attachment, to read.',
    `Your destinations:\n${names}`,
    folder === null ? '' : place(folder),
    own.trim(),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

/** Where the person's folder is, and what may be done with it. */
function place({ path, inside, access }: RoutedFolder): string {
  const where = `The folder ${escaped(path)} of the person you work for is at ${escaped(inside)}, ${access}, and is your working folder.`;
  if (access === 'read-write') return `${where} What you change there, you change for them.`;
  return `${where} Somebody else is writing in it: you can read it; keep your own files in $HOME.`;
}

/** One message or notice as the model reads it. */
export function block(message: InboundMessage, destinations: readonly Destination[], zone: Zone): string {
  if (message.kind === 'control') return '';
  const time = escaped(zone.time(message.timestamp));
  if (message.kind === 'notice') return `<notice id="${message.seq}" time="${time}">${escaped(message.text)}</notice>`;
  const from = message.address ? nameOf(message.address, destinations) : 'host';
  const sender = message.sender === null ? '' : ` sender="${escaped(message.sender)}"`;
  const silent = message.wakes ? '' : ' context="true"';
  const attributes = `id="${message.seq}" from="${escaped(from)}"${sender} time="${time}"${silent}`;
  return `<message ${attributes}>${escaped(message.text)}${message.files.map(attachment).join('')}</message>`;
}

const attachment = ({ name, mime, bytes, path }: InboundFile): string =>
  `\n<attachment name="${escaped(name)}" type="${escaped(mime)}" bytes="${bytes}" path="${escaped(path)}"/>`;

/** What an earlier try of the same turn has already sent, so that it is not said again. */
export function alreadySaid(said: readonly Said[]): string {
  const lines = said.map(({ seq, destination, text, files }) => {
    const named = files.length === 0 ? '' : ` files="${escaped(files.map(shownName).join(', '))}"`;
    return `<sent id="${seq}" to="${escaped(destination)}"${named}>${escaped(text)}</sent>`;
  });
  if (lines.length === 0) return '';
  return [
    'An earlier try at these messages was cut off after it had sent the following. Do not send it again:',
    ...lines,
  ].join('\n');
}

/** Asked once when nothing in an answer was addressed. */
export function nudge(destinations: readonly Destination[], unknown: readonly string[]): string {
  const names = destinations.map((it) => it.localName).join(', ') || 'none';
  const missed =
    unknown.length === 0 ? '' : ` There is no destination named ${unknown.map((it) => `"${it}"`).join(', ')}.`;
  return (
    `<notice>Nothing in your last answer was sent: it was not addressed.${missed} Write what is meant for somebody as ` +
    `&lt;message to="name"&gt;text&lt;/message&gt;. Your destinations: ${escaped(names)}.</notice>`
  );
}
