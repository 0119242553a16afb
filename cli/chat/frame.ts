/**
 * What is redrawn in place at the foot of the screen: the reply that is being written, what the agent is at, and the line
 * being typed. Pure: the same words on the same terminal give the same rows.
 */
import { visible } from '../visible.ts';
import type { Editor } from './editor.ts';
import { fit, widthOf, wrap } from './width.ts';

export type Size = { columns: number; rows: number };

/** A reply as far as it is known; `cut` when its beginning is not. */
export type Partial = { text: string; cut: boolean };

export type Shown = { partial: Partial | null; status: string | null; line: Pick<Editor, 'text' | 'cursor'> };

export type Frame = {
  rows: string[];
  /** Row of `rows` that tells what the agent is at; -1 for none. */
  statusRow: number;
  cursorRow: number;
  cursorColumn: number;
};

export const PROMPT = '> ';
const MORE = '  ';
const CUT = '… ';

export function frameOf({ partial, status, line }: Shown, { columns, rows }: Size): Frame {
  // The last column stays free: what a terminal does with a cursor behind it is not the same everywhere.
  const width = columns - 1;
  const typed = typedRows(line, width, Math.max(1, rows - 2));
  const statusRows = status === null ? [] : [fit(`[${visible(status)}]`, width)];
  const room = rows - typed.rows.length - statusRows.length - 1;
  const above = partial === null ? [] : lastRows(partial, width, room);
  return {
    rows: [...above, ...statusRows, ...typed.rows],
    statusRow: status === null ? -1 : above.length,
    cursorRow: above.length + statusRows.length + typed.cursorRow,
    cursorColumn: typed.cursorColumn,
  };
}

const lastRows = ({ text, cut }: Partial, width: number, room: number): string[] =>
  room < 1 ? [] : wrap(`${cut ? CUT : ''}${visible(text)}`, width).slice(-room);

/** The line as it stands, and of a long one the rows around the cursor. */
function typedRows({ text, cursor }: Shown['line'], width: number, room: number) {
  const rowsOf = (part: string): string[] =>
    part.split('\n').flatMap((it, at) => wrap(`${at === 0 ? PROMPT : MORE}${visible(it)}`, width));
  const before = rowsOf(text.slice(0, cursor));
  const rows = rowsOf(text);
  let cursorRow = before.length - 1;
  let cursorColumn = widthOf(before.at(-1) ?? '');
  if (cursorColumn >= width) {
    cursorRow += 1;
    cursorColumn = 0;
    if (rows.length === cursorRow) rows.push('');
  }
  const from = Math.max(0, Math.min(cursorRow - room + 1, rows.length - room));
  return { rows: rows.slice(from, from + room), cursorRow: cursorRow - from, cursorColumn };
}

/** On which row of the frame's own the cursor stands once a narrower terminal has wrapped the rows again. */
export function rewrappedCursorRow({ rows, cursorRow, cursorColumn }: Frame, columns: number): number {
  const above = rows.slice(0, cursorRow).map((row) => Math.max(1, Math.ceil(widthOf(row) / columns)));
  return above.reduce((sum, n) => sum + n, 0) + Math.floor(cursorColumn / columns);
}
