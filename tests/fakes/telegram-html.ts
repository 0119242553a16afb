/**
 * How Telegram reads parse_mode HTML (core.telegram.org/bots/api#html-style): which tags there are, that they are closed
 * in order, and which entities are known. What is left is what counts against the limit of a message.
 */

const TAGS = [
  'b',
  'strong',
  'i',
  'em',
  'u',
  'ins',
  's',
  'strike',
  'del',
  'a',
  'code',
  'pre',
  'blockquote',
  'tg-spoiler',
];
const TOKEN = /<(\/?)([a-zA-Z][\w-]*)((?:\s+[\w-]+="[^"<>]*")*)\s*>|&(?:(lt|gt|amp|quot)|#(\d{1,6}));|[^]/g;
const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"' };

export type Read = { text: string; tags: string[] } | { fault: string };

export function readHtml(html: string): Read {
  let text = '';
  const tags: string[] = [];
  const open: string[] = [];
  for (const [whole, slash, tag, attributes, named, code] of html.matchAll(TOKEN)) {
    const at = Buffer.byteLength(text);
    if (named !== undefined) text += NAMED[named] ?? '';
    else if (code !== undefined) text += String.fromCodePoint(Number(code));
    else if (tag === undefined) {
      if (whole === '<') return { fault: `Unsupported start tag "" at byte offset ${at}` };
      text += whole;
    } else if (slash === '/') {
      if (open.pop() !== tag) return { fault: `Unmatched end tag at byte offset ${at}` };
    } else {
      if (!TAGS.includes(tag)) return { fault: `Unsupported start tag "${tag}" at byte offset ${at}` };
      if (open.includes('pre') && tag !== 'code') return { fault: `Tag "${tag}" can't be inside pre` };
      if (tag === 'blockquote' && open.includes('blockquote')) return { fault: 'blockquote in blockquote' };
      open.push(tag);
      tags.push(`${tag}${attributes ?? ''}`);
    }
  }
  if (open.length > 0) return { fault: `Can't find end tag corresponding to start tag "${open.at(-1)}"` };
  return { text, tags };
}
