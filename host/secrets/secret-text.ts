/**
 * What a secret's name and its value may be. No error here repeats what it was given: it may be a value in the wrong place.
 */
import { Refusal } from '../refusal.ts';

const NAME = /^[A-Z][A-Z0-9_]{0,63}$/;
const VALUE_BYTES = 16 * 1024;

/** Throws `Refusal`. */
export function checkName(name: unknown): string {
  if (typeof name === 'string' && NAME.test(name)) return name;
  throw new Refusal(
    'bad-input',
    "a secret's name is 1 to 64 capital letters, digits and underscores, beginning with a letter",
    'Choose a name like OPENAI_API_KEY. The value goes in by standard input, never in the name.',
  );
}

/** The value without the one newline that a file or a pipe ends with. Throws `Refusal`. */
export function checkValue(value: unknown): string {
  const text = typeof value === 'string' ? value.replace(/\r?\n$/, '') : '';
  const bytes = Buffer.byteLength(text);
  if (bytes < 1 || bytes > VALUE_BYTES) {
    throw new Refusal('bad-input', `a secret is text of 1 to ${VALUE_BYTES} bytes`, 'Give the value, and only that.');
  }
  // What JSON cannot carry and what ends a header or a line would come out other than it went in.
  if (!/[\0\r\n]/.test(text) && text.isWellFormed()) return text;
  throw new Refusal('bad-input', 'a secret is one line of text', 'Give the value, and only that.');
}
