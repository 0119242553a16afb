/** As much of a terminal as a chat uses: what stands on it after the bytes so far. Fails on a sequence that it does not know. */
import { widthOf } from '../chat/width.ts';

const SEQUENCE = /^\u001b\[(\??)(\d*)([A-Za-z])/; // oxlint-disable-line no-control-regex
/** Modes and colours change nothing that this shows. */
const SILENT = ['h', 'l', 'm'];

export class Vt {
  readonly #columns: number;
  readonly #lines: string[][] = [[]];
  #row = 0;
  #column = 0;
  #rest = '';

  constructor(columns: number) {
    this.#columns = columns;
  }

  /** Every line since the start, those that scrolled away too. */
  get lines(): string[] {
    return this.#lines.map((cells) =>
      Array.from(cells, (cell) => cell ?? ' ')
        .join('')
        .trimEnd(),
    );
  }

  write(bytes: string): void {
    let text = this.#rest + bytes;
    this.#rest = '';
    while (text !== '') {
      const sequence = SEQUENCE.exec(text);
      if (sequence) this.#obey(sequence[3] ?? '', Number(sequence[2] || 1));
      else if (text.startsWith('\u001b') && text.length < 16) {
        this.#rest = text;
        return;
      } else if (text.startsWith('\u001b')) throw new Error(`unknown sequence ${JSON.stringify(text.slice(0, 16))}`);
      const [point = ''] = text;
      if (!sequence) this.#put(point);
      text = text.slice(sequence?.[0].length ?? point.length);
    }
  }

  #obey(final: string, n: number): void {
    if (final === 'A') this.#row = Math.max(0, this.#row - n);
    else if (final === 'C') this.#column = Math.min(this.#columns - 1, this.#column + n);
    else if (final === 'J') {
      this.#lines.splice(this.#row + 1);
      this.#lines[this.#row]?.splice(this.#column);
    } else if (!SILENT.includes(final)) throw new Error(`unknown sequence ${final}`);
  }

  #put(point: string): void {
    if (point === '\r') this.#column = 0;
    else if (point === '\n') this.#down();
    else {
      const width = widthOf(point);
      if (this.#column + width > this.#columns) {
        this.#column = 0;
        this.#down();
      }
      const line = this.#lines[this.#row] ?? [];
      if (width === 0) line[this.#column - 1] = `${line[this.#column - 1] ?? ''}${point}`;
      else line[this.#column] = point;
      if (width === 2) line[this.#column + 1] = '';
      this.#column += width;
    }
  }

  #down(): void {
    this.#row += 1;
    this.#lines[this.#row] ??= [];
  }
}
