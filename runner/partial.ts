/**
 * What can be shown of an answer that is still being written. Whatever comes after it, the message found here stays a
 * beginning of one that is sent: where more text could turn a tag into code or code into a tag, nothing further counts.
 */
import { parseAnswer, TAG_CHARS, tagAt } from './answer.ts';
import { Code } from './code.ts';

/** `reply` counts the messages of this answer from 0. */
export type Partial = { to: string; reply: number; text: string };

const TAGS = ['<message', '</message', '<internal', '</internal'];

/** The newest message of which something is sure; null when there is none yet. */
export function newestMessage(text: string): Partial | null {
  const { messages } = parseAnswer(text.slice(0, sureLength(text)));
  const newest = messages.at(-1);
  return newest === undefined ? null : { ...newest, reply: messages.length - 1 };
}

/** How much of the text reads the same however it goes on. */
export function sureLength(text: string): number {
  const known = text.slice(0, settledLength(text));
  const code = new Code(known);
  let at = 0;
  while (at < known.length) {
    const end = code.end(at);
    if (end > at) {
      at = end;
      continue;
    }
    const tag = tagAt(known, at);
    if (tag ? code.unsure : mayBecomeTag(known, at)) return at;
    at += tag?.[0].length ?? 1;
  }
  return known.length;
}

/** Without a run of fence characters that may grow, and without half a character. */
function settledLength(text: string): number {
  let end = text.length;
  while (text[end - 1] === '`' || text[end - 1] === '~') end -= 1;
  const last = text.charCodeAt(end - 1);
  return last >= 0xd800 && last < 0xdc00 ? end - 1 : end;
}

function mayBecomeTag(text: string, at: number): boolean {
  if (text[at] !== '<' || text.length - at >= TAG_CHARS) return false;
  const begun = text.slice(at);
  if (/[<>]/.test(begun.slice(1))) return false;
  const [name = ''] = /^<\/?[a-z]*/.exec(begun) ?? [];
  return TAGS.some((tag) => tag === name || (name === begun && tag.startsWith(name)));
}
