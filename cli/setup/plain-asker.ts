/** Numbered lines and plain words: for TERM=dumb and NO_COLOR. No escape is ever printed. */
import { visible } from '../visible.ts';
import type { Asker, Terminal } from './asker.ts';

export function plainAsker({ input, output }: Terminal): Asker {
  const keyboard = new Keyboard(input);
  const write = (text: string): void => void output.write(visible(text));
  const ask = (text: string): Promise<string | null> => {
    write(`${text} `);
    return keyboard.line();
  };
  return {
    person: true,
    say: (text) => write(`${text}\n`),
    confirm: async ({ ask: text, otherwise }) => {
      const answer = await ask(`${text} [${otherwise ? 'Y/n' : 'y/N'}]`);
      if (answer === null) return null;
      return answer.trim() === '' ? otherwise : /^y(es)?$/i.test(answer.trim());
    },
    select: async ({ ask: text, options, otherwise }) => {
      const at = options.findIndex((it) => it.value === otherwise);
      const first = Math.max(at, 0);
      const shown = options.map(({ label, hint }, n) => `  ${n + 1}  ${label}${hint ? ` (${hint})` : ''}\n`);
      for (;;) {
        const answer = await ask(`${text}\n${shown.join('')}A number, return for ${first + 1}:`);
        if (answer === null) return null;
        const found = options[answer.trim() === '' ? first : Number(answer) - 1];
        if (found) return found.value;
        write(`There is no ${JSON.stringify(answer)} here.\n`);
      }
    },
    text: async ({ ask: text, otherwise, problem }) => {
      for (;;) {
        const typed = await ask(otherwise === '' ? `${text}:` : `${text} [${otherwise}]:`);
        if (typed === null) return null;
        const answer = typed.trim() || otherwise;
        const wrong = problem?.(answer) ?? null;
        if (wrong === null) return answer;
        write(`${wrong}\n`);
      }
    },
    secret: async ({ ask: text }) => {
      input.setRawMode?.(true);
      try {
        write(`${text} (not shown): `);
        return await keyboard.unseen();
      } finally {
        input.setRawMode?.(false);
        write('\n');
      }
    },
    close: () => keyboard.close(),
  };
}

const LEAVE = /[\u0003\u0004]/; // oxlint-disable-line no-control-regex
const RUBBED_OUT = /[^\u007f\b][\u007f\b]/; // oxlint-disable-line no-control-regex

/** What is typed, also before it is asked for. */
class Keyboard {
  readonly #input: NodeJS.ReadStream;
  #typed = '';
  #ended = false;
  #wake: () => void = () => {};

  constructor(input: NodeJS.ReadStream) {
    this.#input = input;
    input.setEncoding('utf8').on('data', this.#take).on('end', this.#end);
  }

  readonly #take = (chunk: string | Buffer): void => {
    this.#typed += String(chunk);
    this.#wake();
  };

  readonly #end = (): void => {
    this.#ended = true;
    this.#wake();
  };

  /** The next line; null when there are no more. */
  async line(): Promise<string | null> {
    for (;;) {
      const found = /^([^\r\n]*)(?:\r\n|\r|\n)/.exec(this.#typed);
      if (found) {
        this.#typed = this.#typed.slice(found[0].length);
        return found[1] ?? '';
      }
      if (this.#ended) return null;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** A line typed in raw mode: rubbing out is done here, Ctrl-C and Ctrl-D leave. */
  async unseen(): Promise<string | null> {
    while (!/[\r\n]/.test(this.#typed) && !LEAVE.test(this.#typed) && !this.#ended) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    if (LEAVE.test(this.#typed)) return null;
    let text = await this.line();
    while (text !== null && RUBBED_OUT.test(text)) text = text.replace(RUBBED_OUT, '');
    return text?.replaceAll(/[\u007f\b]/g, '') ?? null; // oxlint-disable-line no-control-regex
  }

  close(): void {
    this.#input.off('data', this.#take).off('end', this.#end).pause();
  }
}
