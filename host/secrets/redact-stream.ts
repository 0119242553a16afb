/** Takes one secret out of what passes: whoever was shown it by us may say it again, and inside nobody may hear it. */
import { Transform, type TransformCallback } from 'node:stream';
import { formsOf } from './redact.ts';

export type Secret = { name: string; value: string };

/** The text with each form of the secret as `[NAME]`. See `formsOf` for what is found and what is not. */
export function withoutSecret(text: string, { name, value }: Secret): string {
  return text.replaceAll(anyOf(formsOf(value)), () => `[${name}]`);
}

/**
 * Bytes in, bytes out. However the bytes are cut, what comes out is the same; of what has come only an end that may be
 * the beginning of a form waits for what follows, so that nothing else is late. What is no text passes as it is.
 */
export class SecretRemover extends Transform {
  readonly #forms: readonly string[];
  readonly #any: RegExp;
  readonly #instead: string;
  /** Bytes as latin1, so that a character that was cut in two is none the worse for it. */
  #held = '';

  constructor({ name, value }: Secret) {
    super();
    this.#forms = formsOf(value).map((form) => Buffer.from(form).toString('latin1'));
    this.#any = anyOf(this.#forms);
    this.#instead = Buffer.from(`[${name}]`).toString('latin1');
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const text = this.#held + chunk.toString('latin1');
    let out = '';
    let at = 0;
    for (;;) {
      const waits = Math.min(...this.#forms.map((form) => beginning(text, form, at)));
      this.#any.lastIndex = at;
      const found = this.#any.exec(text);
      if (found === null || found.index >= waits) {
        this.#held = text.slice(waits);
        return done(null, Buffer.from(out + text.slice(at, waits), 'latin1'));
      }
      out += text.slice(at, found.index) + this.#instead;
      at = this.#any.lastIndex;
    }
  }

  override _flush(done: TransformCallback): void {
    done(
      null,
      Buffer.from(
        this.#held.replaceAll(this.#any, () => this.#instead),
        'latin1',
      ),
    );
  }
}

/** Finds the longest of them wherever there is one; nothing where there is none to find. */
function anyOf(forms: readonly string[]): RegExp {
  const longestFirst = forms.toSorted((a, b) => b.length - a.length);
  return new RegExp(forms.length === 0 ? '(?!)' : longestFirst.map((form) => RegExp.escape(form)).join('|'), 'g');
}

/** Where, from `from` on, the text ends with the beginning of `form`; its length where it does not. */
function beginning(text: string, form: string, from: number): number {
  const first = form.charAt(0);
  let at = text.indexOf(first, Math.max(from, text.length - form.length + 1));
  while (at >= 0 && !form.startsWith(text.slice(at))) at = text.indexOf(first, at + 1);
  return at < 0 ? text.length : at;
}
