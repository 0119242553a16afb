/**
 * What a model wrote → what is sent. `<message to="name">…</message>` is addressed; everything else, `<internal>` first,
 * is scratch. A real parser, because models quote the very tags they are told to write: nothing inside a code fence or
 * inline code is a tag, tags inside <internal> are not sent, a nested message is text of the outer one, and a message
 * that is never closed goes to the end of the answer.
 */
export type Addressed = { to: string; text: string };
export type Answer = { messages: Addressed[]; scratch: string };

type Token =
  | { type: 'text'; text: string }
  | { type: 'open'; text: string; to: string }
  | { type: 'close'; text: string }
  | { type: 'internal-open'; text: string }
  | { type: 'internal-close'; text: string };

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
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

/** Code is text: fences to their closing line or the end, inline code to its closing run of backticks. */
function* tokens(text: string): Generator<Token> {
  let at = 0;
  let plain = 0;
  const flush = (to: number): Token[] => (to > plain ? [{ type: 'text', text: text.slice(plain, to) }] : []);
  while (at < text.length) {
    const code = codeEnd(text, at);
    if (code > at) {
      at = code;
      continue;
    }
    const tag = text[at] === '<' ? TAG.exec(text.slice(at, at + 400)) : null;
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

function tokenOf(tag: RegExpExecArray): Token {
  const text = tag[0];
  if (tag[3]) return { type: 'close', text };
  if (tag[4]) return { type: 'internal-open', text };
  if (tag[5]) return { type: 'internal-close', text };
  return { type: 'open', text, to: (tag[1] ?? tag[2] ?? '').trim() };
}

/** Where the code that begins at `at` ends; `at` when none begins there. */
function codeEnd(text: string, at: number): number {
  const char = text[at];
  if (char !== '`' && char !== '~' && char !== ' ') return at;
  const lineStart = at === 0 || text[at - 1] === '\n' || text[at - 1] === '>';
  const fence = lineStart ? FENCE.exec(text.slice(at, at + 64))?.[1] : undefined;
  if (fence) return fenceEnd(text, at, fence);
  if (char !== '`') return at;
  const run = /^`+/.exec(text.slice(at))?.[0] ?? '`';
  const end = inlineEnd(text, at + run.length, run.length);
  return end === -1 ? at : end;
}

/** Past the line that closes the fence; a fence that is never closed closes where a message does, so that it is not lost. */
function fenceEnd(text: string, at: number, fence: string): number {
  const closing = new RegExp(`^ {0,3}${fence[0] === '~' ? '~' : '`'}{${fence.length},}[ \\t]*(?=\\n|$|<)`, 'm');
  const bodyAt = text.indexOf('\n', at);
  if (bodyAt === -1) return at;
  const found = closing.exec(text.slice(bodyAt + 1));
  return found ? bodyAt + 1 + found.index + found[0].length : at + fence.length;
}

/** Past the closing run of exactly `length` backticks in the same paragraph; -1 when there is none. */
function inlineEnd(text: string, from: number, length: number): number {
  const paragraph = text.indexOf('\n\n', from);
  const until = paragraph === -1 ? text.length : paragraph;
  for (let at = text.indexOf('`', from); at !== -1 && at < until;) {
    const run = /^`+/.exec(text.slice(at))?.[0].length ?? 1;
    if (run === length) return at + run;
    at = text.indexOf('`', at + run);
  }
  return -1;
}
