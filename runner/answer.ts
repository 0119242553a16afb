/**
 * What a model wrote → what is sent. `<message to="name">…</message>` is addressed; everything else, `<internal>` first,
 * is scratch. A real parser, because models quote the very tags they are told to write: nothing inside a code fence or
 * inline code is a tag, tags inside <internal> are not sent, a nested message is text of the outer one, and a message
 * that is never closed goes to the end of the answer.
 */
import { Code } from './code.ts';

export type Addressed = { to: string; text: string };
export type Answer = { messages: Addressed[]; scratch: string };

type Token =
  | { type: 'text'; text: string }
  | { type: 'open'; text: string; to: string }
  | { type: 'close'; text: string }
  | { type: 'internal-open'; text: string }
  | { type: 'internal-close'; text: string };

/** Longer tags are text. */
export const TAG_CHARS = 400;
const TAG = /^<(?:message\s+to\s*=\s*(?:"([^"<>]*)"|'([^'<>]*)')\s*>|(\/message)\s*>|(internal)\s*>|(\/internal)\s*>)/;

export function parseAnswer(text: string): Answer {
  const messages: Addressed[] = [];
  const scratch: string[] = [];
  let current: { to: string; parts: string[]; depth: number } | null = null;
  let internal = 0;
  for (const token of tokens(text)) {
    if (current !== null) {
      if (token.type === 'open') current.depth += 1;
      if (token.type === 'close') current.depth -= 1;
      if (token.type === 'close' && current.depth === 0) {
        messages.push({ to: current.to, text: trimmed(current.parts) });
        current = null;
      } else current.parts.push(token.text);
      continue;
    }
    if (token.type === 'internal-open') internal += 1;
    else if (token.type === 'internal-close') internal = Math.max(0, internal - 1);
    else if (token.type === 'open' && internal === 0) current = { to: token.to, parts: [], depth: 1 };
    else if (token.type !== 'close' || internal > 0) scratch.push(token.text);
  }
  if (current !== null) messages.push({ to: current.to, text: trimmed(current.parts) });
  return { messages: messages.filter((it) => it.text !== ''), scratch: trimmed(scratch) };
}

const trimmed = (parts: string[]): string => parts.join('').trim();

/** Code is text: no tag is found in it. */
function* tokens(text: string): Generator<Token> {
  const code = new Code(text);
  let at = 0;
  let plain = 0;
  const flush = (to: number): Token[] => (to > plain ? [{ type: 'text', text: text.slice(plain, to) }] : []);
  while (at < text.length) {
    const end = code.end(at);
    if (end > at) {
      at = end;
      continue;
    }
    const tag = tagAt(text, at);
    if (!tag) {
      at += 1;
      continue;
    }
    yield* flush(at);
    yield tokenOf(tag);
    at += tag[0].length;
    plain = at;
  }
  yield* flush(text.length);
}

export const tagAt = (text: string, at: number): RegExpExecArray | null =>
  text[at] === '<' ? TAG.exec(text.slice(at, at + TAG_CHARS)) : null;

function tokenOf(tag: RegExpExecArray): Token {
  const text = tag[0];
  if (tag[3]) return { type: 'close', text };
  if (tag[4]) return { type: 'internal-open', text };
  if (tag[5]) return { type: 'internal-close', text };
  return { type: 'open', text, to: (tag[1] ?? tag[2] ?? '').trim() };
}
