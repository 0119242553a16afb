/** The line a person is typing, as a pure value: a key in, the next line or what the key asks for out. */

export type Editor = {
  text: string;
  /** Between 0 and the length of the text, never inside a character as people see it. */
  cursor: number;
  /** Which line of the history is shown; null for the one being written, which `draft` keeps meanwhile. */
  recalled: number | null;
  draft: string;
};

/** As node's readline names them. */
export type Key = { name?: string; sequence?: string; ctrl?: boolean; meta?: boolean };

export type Ask = 'submit' | 'interrupt' | 'end' | 'redraw' | 'suspend';

export const EMPTY: Editor = { text: '', cursor: 0, recalled: null, draft: '' };

const characters = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const CONTROL = /(?![\t\n])\p{Cc}/gu;

export function press(it: Editor, key: Key, history: readonly string[]): Editor | Ask {
  const asked = askedBy(it, key);
  if (asked !== null) return asked;
  if (key.name === 'return' && key.meta) return insert(it, '\n');
  const edit = EDITS[nameOf(key)];
  if (edit !== undefined) return edit(it, history);
  const { sequence = '', ctrl, meta } = key;
  const typed = ctrl || meta || sequence.startsWith('\u001b') ? '' : sequence.replace(CONTROL, '');
  return typed === '' ? it : insert(it, typed);
}

/** Typed, or pasted with its newlines: they send nothing. Control characters are left out. */
export function insert(it: Editor, text: string): Editor {
  const clean = text.replaceAll(/\r\n?/g, '\n').replace(CONTROL, '').toWellFormed();
  return at({ ...it, text: it.text.slice(0, it.cursor) + clean + it.text.slice(it.cursor) }, it.cursor + clean.length);
}

function askedBy(it: Editor, { name, ctrl, meta }: Key): Ask | null {
  if (!ctrl) return (name === 'return' && !meta) || name === 'enter' ? 'submit' : null;
  if (name === 'c') return 'interrupt';
  if (name === 'd') return it.text === '' ? 'end' : null;
  if (name === 'l') return 'redraw';
  return name === 'z' ? 'suspend' : null;
}

const nameOf = ({ name = '', ctrl, meta }: Key): string => `${ctrl ? 'ctrl-' : ''}${meta ? 'meta-' : ''}${name}`;

type Edit = (it: Editor, history: readonly string[]) => Editor;

const at = (it: Editor, cursor: number): Editor => ({ ...it, cursor: Math.min(Math.max(cursor, 0), it.text.length) });
const cut = (it: Editor, from: number, to: number): Editor =>
  at({ ...it, text: it.text.slice(0, from) + it.text.slice(to) }, from);

const left = ({ text, cursor }: Editor): number =>
  cursor - ([...characters.segment(text.slice(0, cursor))].at(-1)?.segment.length ?? 0);
const right = ({ text, cursor }: Editor): number =>
  cursor + (characters.segment(text.slice(cursor)).containing(0)?.segment.length ?? 0);
const wordLeft = ({ text, cursor }: Editor): number => Math.max(0, text.slice(0, cursor).search(/\S+\s*$/));
const wordRight = ({ text, cursor }: Editor): number => cursor + (/^\s*\S*/.exec(text.slice(cursor))?.[0].length ?? 0);

const toLeft: Edit = (it) => at(it, left(it));
const toRight: Edit = (it) => at(it, right(it));
const toStart: Edit = (it) => at(it, 0);
const toEnd: Edit = (it) => at(it, it.text.length);
const toWordLeft: Edit = (it) => at(it, wordLeft(it));
const toWordRight: Edit = (it) => at(it, wordRight(it));
const erase: Edit = (it) => cut(it, left(it), it.cursor);
const eraseNext: Edit = (it) => cut(it, it.cursor, right(it));
const eraseWord: Edit = (it) => cut(it, wordLeft(it), it.cursor);
const eraseStart: Edit = (it) => cut(it, 0, it.cursor);
const eraseEnd: Edit = (it) => cut(it, it.cursor, it.text.length);

const older: Edit = (it, history) => recall(it, (it.recalled ?? history.length) - 1, history);
const newer: Edit = (it, history) => (it.recalled === null ? it : recall(it, it.recalled + 1, history));

function recall(it: Editor, line: number, history: readonly string[]): Editor {
  if (line < 0) return it;
  const draft = it.recalled === null ? it.text : it.draft;
  const text = history[line];
  const shown = { text: text ?? draft, recalled: text === undefined ? null : line, draft };
  return { ...shown, cursor: shown.text.length };
}

const EDITS: Readonly<Record<string, Edit>> = {
  left: toLeft,
  'ctrl-b': toLeft,
  right: toRight,
  'ctrl-f': toRight,
  home: toStart,
  'ctrl-a': toStart,
  end: toEnd,
  'ctrl-e': toEnd,
  'ctrl-left': toWordLeft,
  'meta-left': toWordLeft,
  'meta-b': toWordLeft,
  'ctrl-right': toWordRight,
  'meta-right': toWordRight,
  'meta-f': toWordRight,
  backspace: erase,
  'ctrl-h': erase,
  delete: eraseNext,
  'ctrl-d': eraseNext,
  'ctrl-w': eraseWord,
  'meta-backspace': eraseWord,
  'ctrl-u': eraseStart,
  'ctrl-k': eraseEnd,
  up: older,
  'ctrl-p': older,
  down: newer,
  'ctrl-n': newer,
};
