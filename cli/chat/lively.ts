/** A terminal that can: replies scroll by, and below them the frame is redrawn in place for every key and every piece. */
import { emitKeypressEvents } from 'node:readline';
import { visible } from '../visible.ts';
import { EMPTY, insert, press, type Ask, type Editor, type Key } from './editor.ts';
import { frameOf, PROMPT, rewrappedCursorRow, type Frame, type Partial } from './frame.ts';
import type { Screen, Terminal } from './screen.ts';

/** ECMA-48, and xterm's bracketed paste (?2004): pasted newlines come marked and send nothing. */
const ESCAPES = {
  open: '\u001b[?2004h',
  close: '\u001b[?2004l\u001b[?25h',
  hideCursor: '\u001b[?25l',
  showCursor: '\u001b[?25h',
  clearDown: '\u001b[J',
  clearScreen: '\u001b[H\u001b[2J',
  faint: '\u001b[2m',
  normal: '\u001b[22m',
  up: (rows: number) => (rows > 0 ? `\u001b[${rows}A` : ''),
  right: (columns: number) => (columns > 0 ? `\u001b[${columns}C` : ''),
} as const;

export function livelyScreen(terminal: Terminal): Screen {
  const screen = new LivelyScreen(terminal);
  return {
    say: (text) => screen.above(text),
    remark: (text) => screen.above(`* ${text}`),
    live: (status, partial) => screen.live(status, partial),
    onLine: (listener) => void (screen.onLine = listener),
    onInterrupt: (listener) => void (screen.onInterrupt = listener),
    onEnd: (listener) => void (screen.onEnd = listener),
    close: () => screen.close(),
  };
}

class LivelyScreen {
  onLine: (line: string) => void = () => {};
  onInterrupt: () => void = () => {};
  onEnd: () => void = () => {};
  readonly #terminal: Terminal;
  #editor: Editor = EMPTY;
  #paste: string | null = null;
  #status: string | null = null;
  #partial: Partial | null = null;
  #frame: Frame | null = null;
  #drawn = '';
  #closed = false;
  readonly #ends: (() => void)[] = [];

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    const { input, output } = terminal;
    emitKeypressEvents(input);
    this.#listen(input, 'keypress', (_char: string, key: Key) => this.#key(key));
    this.#listen(input, 'end', () => this.onEnd());
    this.#listen(output, 'resize', () => this.#resized());
    this.#listen(process, 'SIGCONT', () => this.#begin());
    this.#begin();
  }

  #listen(emitter: NodeJS.EventEmitter, name: string, listener: (...args: never[]) => void): void {
    emitter.on(name, listener as never);
    this.#ends.push(() => void emitter.off(name, listener as never));
  }

  #begin(): void {
    this.#terminal.input.setRawMode(true);
    this.#terminal.input.resume();
    this.#terminal.output.write(ESCAPES.open);
    this.#frame = null;
    this.#draw('');
  }

  /** Text that stays, above the frame. An answer may still come in while we leave. */
  above(text: string): void {
    if (this.#closed) this.#terminal.output.write(`${visible(text)}\n`);
    else this.#draw(`${visible(text)}\n`);
  }

  live(status: string | null, partial: Partial | null): void {
    this.#status = status;
    this.#partial = partial;
    if (!this.#closed) this.#draw('');
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const end of this.#ends) end();
    this.#terminal.output.write(`${this.#erase()}${ESCAPES.close}`);
    this.#terminal.input.setRawMode(false);
    this.#terminal.input.pause();
  }

  #key(key: Key): void {
    if (key.name === 'paste-start') this.#paste = '';
    else if (key.name === 'paste-end') this.#pasted();
    else if (this.#paste !== null) this.#paste += key.sequence ?? '';
    else this.#take(press(this.#editor, key, this.#terminal.history.lines));
    if (!this.#closed && this.#paste === null) this.#draw('');
  }

  #pasted(): void {
    this.#editor = insert(this.#editor, this.#paste ?? '');
    this.#paste = null;
  }

  #take(it: Editor | Ask): void {
    switch (it) {
      case 'submit':
        return this.#submit();
      case 'interrupt':
        return this.onInterrupt();
      case 'end':
        return this.onEnd();
      case 'redraw':
        this.#terminal.output.write(ESCAPES.clearScreen);
        this.#frame = null;
        return;
      case 'suspend':
        return this.#suspend();
      default:
        this.#editor = it;
    }
  }

  #submit(): void {
    const { text } = this.#editor;
    this.#editor = EMPTY;
    this.#draw(`${PROMPT}${visible(text).replaceAll('\n', '\n  ')}\n`);
    this.#terminal.history.add(text);
    this.onLine(text);
  }

  /** As Ctrl-Z does where no program has taken the keys; it goes on at SIGCONT. */
  #suspend(): void {
    this.#terminal.output.write(`${this.#erase()}${ESCAPES.close}`);
    this.#terminal.input.setRawMode(false);
    process.kill(process.pid, 'SIGTSTP');
  }

  #resized(): void {
    const { columns } = this.#terminal.output;
    if (this.#frame !== null && columns > 0) {
      this.#frame = { ...this.#frame, cursorRow: rewrappedCursorRow(this.#frame, columns) };
    }
    this.#drawn = '';
    this.#draw('');
  }

  #erase(): string {
    const up = ESCAPES.up(this.#frame?.cursorRow ?? 0);
    this.#frame = null;
    this.#drawn = '';
    return `${up}\r${ESCAPES.clearDown}`;
  }

  /** One write, so that nobody sees it half done. `text` scrolls by above the frame. */
  #draw(text: string): void {
    // A terminal that does not know its size says 0.
    const size = { columns: this.#terminal.output.columns || 80, rows: this.#terminal.output.rows || 24 };
    const frame = frameOf({ partial: this.#partial, status: this.#status, line: this.#editor }, size);
    const drawn = JSON.stringify(frame);
    if (text === '' && drawn === this.#drawn && this.#frame !== null) return;
    const lines = frame.rows.map((row, at) =>
      at === frame.statusRow ? `${ESCAPES.faint}${row}${ESCAPES.normal}` : row,
    );
    const back = ESCAPES.up(frame.rows.length - 1 - frame.cursorRow);
    const whole = `${this.#erase()}${text}${lines.join('\n')}${back}\r${ESCAPES.right(frame.cursorColumn)}`;
    this.#terminal.output.write(`${ESCAPES.hideCursor}${whole}${ESCAPES.showCursor}`);
    this.#frame = frame;
    this.#drawn = drawn;
  }
}
