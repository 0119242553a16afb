/**
 * Where code stands in a model's answer: fences to their closing line, inline code to its closing run of backticks. Made
 * once for a text, in one pass: whoever steers the model could otherwise stall the runner with a megabyte of backticks.
 */
const FENCE = /^ {0,3}(`{3,}|~{3,})/;
/** Longer openings are no fences. */
const OPENING_CHARS = 64;

export class Code {
  readonly #text: string;
  /** Start of a run of backticks → end of the run that closes it; a run without an entry is plain text. */
  readonly #inline: ReadonlyMap<number, number>;
  /** For each kind of fence the shortest that was looked for and is closed nowhere further on. */
  readonly #unclosed = new Map<string, number>();
  readonly #lastBreak: number;
  #unsure = false;

  constructor(text: string) {
    this.#text = text;
    this.#inline = inlineCode(text);
    this.#lastBreak = text.lastIndexOf('\n\n');
  }

  /** Whether `end` has passed something that would be code, or other code, if more text came after this one. */
  get unsure(): boolean {
    return this.#unsure;
  }

  /** Where what begins at `at` ends, if it is code or a run of backticks that opens none; `at` when it is neither. */
  end(at: number): number {
    const char = this.#text[at];
    if (char !== '`' && char !== '~' && char !== ' ') return at;
    const before = this.#text[at - 1];
    const opens = at === 0 || before === '\n' || before === '>';
    const fence = opens ? FENCE.exec(this.#text.slice(at, at + OPENING_CHARS))?.[1] : undefined;
    if (fence) return this.#fenceEnd(at, fence);
    if (char !== '`') return at;
    const closed = this.#inline.get(at);
    this.#unsure ||= closed === undefined && at > this.#lastBreak;
    return closed ?? at + runLength(this.#text, at);
  }

  /** Past the line that closes the fence. One that is never closed hides nothing, so that the message in it is not lost. */
  #fenceEnd(at: number, fence: string): number {
    const kind = fence[0] === '~' ? '~' : '`';
    const bodyAt = this.#text.indexOf('\n', at);
    const end = bodyAt === -1 ? null : this.#closed(kind, fence.length, bodyAt + 1);
    this.#unsure ||= end === null || end === this.#text.length;
    return end ?? at + fence.length;
  }

  /** Past the line at or after `from` that closes a fence of this kind and length; null when there is none. */
  #closed(kind: string, length: number, from: number): number | null {
    if (length >= (this.#unclosed.get(kind) ?? Infinity)) return null;
    const closing = new RegExp(`^ {0,3}${kind}{${length},}[ \\t]*(?=\\n|$|<)`, 'gm');
    closing.lastIndex = from;
    const found = closing.exec(this.#text);
    if (found) return found.index + found[0].length;
    this.#unclosed.set(kind, length);
    return null;
  }
}

function runLength(text: string, at: number): number {
  let end = at;
  while (text[end] === '`') end += 1;
  return end - at;
}

/** Each run of backticks is closed by the next one of the same length in its paragraph. */
function inlineCode(text: string): Map<number, number> {
  const ends = new Map<number, number>();
  let open = new Map<number, number>();
  for (const { 0: found, index } of text.matchAll(/`+|\n\n/g)) {
    if (found === '\n\n') {
      open = new Map();
      continue;
    }
    const before = open.get(found.length);
    if (before !== undefined) ends.set(before, index + found.length);
    open.set(found.length, index);
  }
  return ends;
}
