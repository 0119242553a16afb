import assert from 'node:assert/strict';
import { test } from 'node:test';
import { visible, visibleJson } from '../visible.ts';

const CASES: [name: string, text: string, shown: string][] = [
  ['plain text, tabs and newlines stay', 'a\tb\nc é 漢 👩‍🚀', 'a\tb\nc é 漢 👩‍🚀'],
  ['a colour sequence', '\u001b[31mred', '␛[31mred'],
  ['a title (OSC, BEL)', '\u001b]0;owned\u0007', '␛]0;owned␇'],
  ['C1: CSI and OSC in one character', '\u009b31m\u009d0;x\u009c', '<U+009B>31m<U+009D>0;x<U+009C>'],
  ['carriage return that would overwrite', 'good\rbad', 'good␍bad'],
  ['CR LF is a newline', 'a\r\nb', 'a\nb'],
  ['backspace, delete, NUL', 'a\b\u007f\0', 'a␈␡␀'],
  ['direction overrides', 'a\u202eb\u2066c', 'a<U+202E>b<U+2066>c'],
  ['half a character', 'a\ud800', 'a\ufffd'],
];

for (const [name, text, shown] of CASES) {
  test(`visible: ${name}`, () => assert.equal(visible(text), shown));
}

test('JSON keeps every value and drives no terminal', () => {
  const all = Array.from({ length: 0x2070 }, (_, code) => String.fromCharCode(code)).join('');
  const line = visibleJson({ all });
  assert.deepEqual(JSON.parse(line), { all });
  assert.equal(visible(line), line);
});
