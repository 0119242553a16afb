/** Where a verb's answer goes: text for people, or one line of JSON; errors with their next step. */
import type { Failure } from './failure.ts';
import { visible, visibleJson } from './visible.ts';
import { wrapSaid, wrapStep } from './wrap.ts';

export type Printer = {
  readonly json: boolean;
  /** The answer: `value` with --json, else `text`. */
  answer(value: unknown, text: string): void;
  /** A line for people that is no part of the answer. */
  note(text: string): void;
  failure(failure: Failure): void;
};

export function makePrinter(json: boolean, out: (text: string) => void, err: (text: string) => void): Printer {
  return {
    json,
    answer: (value, text) => out(json ? `${visibleJson(value)}\n` : text === '' ? '' : `${visible(text)}\n`),
    note: (text) => err(`${visible(text)}\n`),
    failure: ({ message, next }) => {
      if (json) out(`${visibleJson({ error: message, next })}\n`);
      else err(`${[...wrapSaid(visible(message)), ...wrapStep(visible(next))].join('\n')}\n`);
    },
  };
}

/** Columns padded to the widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
