/** Who is asked here, if anybody. */
import { isLively } from '../chat/screen.ts';
import type { Context } from '../context.ts';
import { answersAsker, type Answers } from './answers.ts';
import type { Asker } from './asker.ts';
import { plainAsker } from './plain-asker.ts';

/** With `answers`, --yes, --json or without a terminal nobody is asked: what was not answered is `unasked`, else the default. */
export async function openAsker(context: Context, answers: Answers | null, unasked: Answers = {}): Promise<Asker> {
  const terminal = { input: process.stdin, output: process.stdout, env: context.env };
  const isThere = terminal.input.isTTY === true && terminal.output.isTTY === true && !context.printer.json;
  if (answers !== null || context.yes || !isThere) {
    const given = { ...(context.yes ? {} : unasked), ...answers };
    return answersAsker(given, (text) => context.printer.note(text));
  }
  // A terminal that does not say how wide it is cannot be drawn on.
  if (!isLively(terminal) || !terminal.output.columns) return plainAsker(terminal);
  return (await import('./clack-asker.ts')).clackAsker(terminal);
}
