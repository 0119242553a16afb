/** A text longer than a platform takes, in parts that a person can read one after the other. */

/** What closes a code block that is open at the end of a part, and opens it again in the next. */
const FENCE = '```';
const FENCE_LINE = /^(`{3,}|~{3,})[^\n`]*$/gm;
/** The longest line that opens a block again in the next part; longer ones are taken as text. */
const FENCE_LINE_MOST = 40;
/** Where a text is cut best, first choice first; a cut must leave at least half of the room used. */
const BREAKS = ['\n\n', '\n', '. ', ' '] as const;

/**
 * Each at most `most` UTF-16 code units, never half a character, nothing lost but the white space at a cut. A code block
 * that is cut is closed and opened again, where the line that opens it takes no more than a third of a part. The same
 * text is always cut the same way. `most` is 20 or more.
 */
export function partsOf(text: string, most: number): string[] {
  const parts: string[] = [];
  let rest = text;
  let open = '';
  const longest = Math.min(FENCE_LINE_MOST, Math.floor(most / 3));
  while (open.length + rest.length > most) {
    // Room for closing a block is kept only where there is one to close.
    const room = most - open.length;
    const end = cut(rest, room - FENCE.length - 1);
    const head = open + rest.slice(0, end).trimEnd();
    const fence = openFence(head, longest);
    parts.push(fence === '' ? head : `${head}\n${FENCE}`);
    open = fence === '' ? '' : `${fence}\n`;
    rest = rest.slice(end).replace(fence === '' ? /^\s+/ : /^\n/, '');
  }
  if (rest !== '' || parts.length === 0) parts.push(open + rest);
  return parts;
}

function cut(text: string, room: number): number {
  for (const at of BREAKS) {
    const found = text.lastIndexOf(at, room - at.length);
    if (found >= room / 2) return found + at.length;
  }
  const code = text.charCodeAt(room - 1);
  return code >= 0xd800 && code < 0xdc00 ? room - 1 : room; // never between the halves of a character
}

/** The line that opened the block which is still open at the end; empty when none is, or when it is over `longest`. */
function openFence(text: string, longest: number): string {
  let open = '';
  for (const [line, mark = ''] of text.matchAll(FENCE_LINE)) {
    if (open === '') open = line.length <= longest && mark === FENCE ? line : '';
    else if (line === FENCE) open = '';
  }
  return open;
}
