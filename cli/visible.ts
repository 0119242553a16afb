/**
 * Text of an agent on its way to a terminal. Control characters would let a reply move the cursor, change the title or
 * fill the clipboard; here they become visible signs and do nothing.
 */

const FIRST_PICTURE = 0x2400;
const DELETE = 0x7f;
/** C0 but tab and newline, DEL, C1, line and paragraph separators, and what turns the direction of the text around. */
const HARMFUL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g; // oxlint-disable-line no-control-regex

/** Keeps tabs and newlines; CR LF becomes LF. Everything else that could drive a terminal is shown as a sign. */
export function visible(text: string): string {
  return text.replaceAll('\r\n', '\n').toWellFormed().replace(HARMFUL, sign);
}

function sign(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(FIRST_PICTURE + code);
  if (code === DELETE) return '\u2421';
  return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`;
}

/** One line of JSON that a terminal cannot be driven by either; parses to the same value. */
export function visibleJson(value: unknown): string {
  return JSON.stringify(value).replace(HARMFUL, (it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
