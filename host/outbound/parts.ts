/** A text longer than a platform takes, in parts that a person can read one after the other. */

/** What closes a code block that is open at the end of a part, and opens it again in the next. */
const FENCE = '```';
const FENCE_LINE = /^(`{3,}|~{3,})[^\n`]*$/gm;
/** Where a text is cut best, first choice first; a cut must leave at least half of the room used. */
const BREAKS = ['\n\n', '\n', '. ', ' '] as const;

/**
 * Each at most `most` UTF-16 code units, never half a character, nothing lost but the white space at a cut. A code block
 * that is cut is closed and opened again. The same text is always cut the same way.
 */
export function partsOf(text: string, most: number): string[] {
  const parts: string[] = [];
  let rest = text;
  let open = '';
  while (open.length + rest.length > most) {
    // Room for closing a block is kept only where there is one to close.
    const room = most - open.length;
    const end = cut(rest, room - FENCE.length - 1);
    const head = open + rest.slice(0, end).trimEnd();
    const fence = openFence(head);
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

/** The line that opened the block which is still open at the end; empty when none is. Longer ones are taken as text. */
function openFence(text: string): string {
  let open = '';
  for (const [line, mark = ''] of text.matchAll(FENCE_LINE)) {
    if (open === '') open = line.length <= 40 && mark === FENCE ? line : '';
    else if (line === FENCE) open = '';
  }
  return open;
}
