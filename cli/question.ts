/** Questions to the person at the keyboard; null when nobody sits there. What is asked goes to stderr. */
import { createInterface } from 'node:readline/promises';
import type { ReadStream } from 'node:tty';

export type Keyboard = { input: ReadStream; output: NodeJS.WriteStream };

export async function ask(keyboard: Keyboard, question: string): Promise<string | null> {
  const { input, output } = keyboard;
  if (input.isTTY !== true || output.isTTY !== true) return null;
  const asking = createInterface({ input, output });
  const ended = new Promise<string>((resolve) => asking.once('close', () => resolve('')));
  try {
    return await Promise.race([asking.question(question), ended]);
  } finally {
    asking.close();
  }
}

/**
 * One line that is not shown while it is typed, wherever the question itself goes: a terminal would echo it else. Empty
 * when it is broken off with Ctrl-C or Ctrl-D.
 */
export async function askHidden({ input, output }: Keyboard, question: string): Promise<string | null> {
  if (input.isTTY !== true) return null;
  // First: what is typed from here on is not echoed.
  input.setRawMode(true);
  output.write(question);
  const typed = new Line();
  const { promise: over, resolve: end } = Promise.withResolvers<void>();
  const take = (part: string): void => {
    if (typed.take(part)) end();
  };
  input.setEncoding('utf8').on('data', take).once('end', end);
  await over;
  input.off('data', take).off('end', end).pause();
  input.setRawMode(false);
  output.write('\n');
  return typed.text;
}

/** What a terminal in raw mode sends, until the line ends. */
export class Line {
  text = '';

  /** True once the line has ended; what came after its end in the same piece is dropped. */
  take(part: string): boolean {
    if (part.startsWith('\u001b')) return false; // an arrow or function key
    for (const key of part) {
      if (key === '\r' || key === '\n') return true;
      if (key === '\u0003' || key === '\u0004') {
        this.text = '';
        return true;
      }
      if (key === '\u007f' || key === '\b') this.text = [...this.text].slice(0, -1).join('');
      else if (key === '\u0015') this.text = '';
      else this.text += key;
    }
    return false;
  }
}
