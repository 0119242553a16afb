import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { codeIn, makeCode } from '../pairing-code.ts';
import { destinationName } from '../pairing.ts';

test('a code is found however it is written, and in nothing else', () => {
  const code = makeCode(randomBytes);
  assert.match(code, /^([A-Z2-7]{4}-){5}[A-Z2-7]{4}$/);
  for (const text of [
    code,
    `/start ${code}`,
    code.toLowerCase(),
    code.replaceAll('-', ''),
    ` ${code.replaceAll('-', ' ')}\n`,
  ]) {
    assert.equal(codeIn(text), code);
  }
  for (const text of ['', '/start', `${code}A`, code.slice(1), `my code is ${code}`, code.replaceAll(/./g, '1')]) {
    assert.equal(codeIn(text), null, text);
  }
});

test('two codes are never the same', () => {
  const codes = Array.from({ length: 1_000 }, () => makeCode(randomBytes));
  assert.equal(new Set(codes).size, codes.length);
});

test('a destination is named after the channel, then after the person, then numbered', () => {
  assert.equal(destinationName('telegram', 'Ann', ['terminal']), 'telegram');
  assert.equal(destinationName('telegram', 'Ann-Marie É.', ['telegram']), 'ann-marie-e');
  assert.equal(destinationName('telegram', '安娜', ['telegram']), 'telegram-2');
  assert.equal(destinationName('telegram', 'Ann', ['telegram', 'ann', 'telegram-2']), 'telegram-3');
  assert.equal(destinationName('telegram', '"><b>\n', ['telegram']), 'b');
});
