import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeLog } from '../../log.ts';
import { formsOf, Redactor } from '../redact.ts';

const NASTY = 'p"q\\r/s+t=u é%&😀 v$&';

function knowing(...secrets: [name: string, value: string][]): Redactor {
  const redactor = new Redactor();
  for (const [name, value] of secrets) redactor.know(name, value);
  return redactor;
}

for (const value of ['sk-ant-canary-7Q2mX9wLr4Tb8ZkVn3', NASTY, '12345678', '$&$1$`$$$$']) {
  test(`${JSON.stringify(value)} is found in every form`, () => {
    const redactor = knowing(['KEY', value]);
    const bytes = Buffer.from(value);
    const json = JSON.stringify(value).slice(1, -1);
    const lower = (text: string): string => text.replaceAll(/%../g, (it) => it.toLowerCase());
    for (const form of [
      value,
      json,
      JSON.stringify(json).slice(1, -1),
      bytes.toString('hex'),
      bytes.toString('hex').toUpperCase(),
      bytes.toString('base64'),
      bytes.toString('base64').replaceAll('=', ''),
      bytes.toString('base64url'),
      encodeURIComponent(value),
      lower(encodeURIComponent(value)),
      encodeURI(value),
      new URLSearchParams({ v: value }).toString().slice(2),
    ]) {
      assert.equal(redactor.text(`a ${form} b ${form}`).replaceAll('=', ''), 'a [KEY] b [KEY]', form);
    }
  });

  test(`${JSON.stringify(value)} within a longer text that was encoded as a whole`, () => {
    const redactor = knowing(['KEY', value]);
    for (const before of ['', 'u', 'us', 'user:', 'Bearer ']) {
      for (const encoding of ['base64', 'base64url', 'hex'] as const) {
        const clean = redactor.text(Buffer.from(`${before}${value} and more`).toString(encoding));
        assert.match(clean, /\[KEY\]/, `${before} ${encoding}`);
        // At most what stands at its two borders is left.
        const left = Buffer.from(clean.replace('[KEY]', ''), encoding).toString();
        assert.ok(!left.includes(value.slice(2, -2)), left);
      }
    }
  });
}

test('the longer secret goes first, a short one is left alone, an old value stays known', () => {
  const redactor = knowing(['A', 'abcdefgh'], ['B', 'abcdefgh-and-more'], ['C', 'short']);
  redactor.know('A', 'another-value');
  assert.equal(redactor.text('abcdefgh-and-more abcdefgh short another-value'), '[B] [A] short [A]');
  assert.deepEqual(
    formsOf('short').filter((form) => form === 'short'),
    [],
  );
});

test('what was cut off in the middle of a secret shows none of its beginning', () => {
  const value = 'sk-ant-canary-7Q2mX9wLr4Tb8ZkVn3';
  const redactor = knowing(['KEY', value]);
  for (const form of [value, Buffer.from(value).toString('hex')]) {
    for (let cut = 8; cut <= form.length; cut++) {
      assert.equal(redactor.beginning(`you sent ${form.slice(0, cut)}`, 500), 'you sent [KEY]', String(cut));
    }
  }
  assert.equal(redactor.beginning(`you sent ${value}`, 12), 'you sent [KE');
  const wide = 'ключ-от-всего';
  const half = Buffer.from(`you sent ${wide}`).subarray(0, -3).toString();
  assert.equal(knowing(['KEY', wide]).beginning(half, 500), 'you sent [KEY]');
  assert.equal(redactor.beginning('sk-ant-', 500), 'sk-ant-');
});

test('a log line is clean in its message and in every field, and still JSON', () => {
  const redactor = knowing(['KEY', NASTY]);
  let line = '';
  const log = makeLog(
    (it) => (line = it),
    () => new Date(0),
    (text) => redactor.text(text),
  );
  log.scope('x').warn(`failed: ${NASTY}`, {
    plain: NASTY,
    quoted: JSON.stringify({ said: NASTY }),
    deep: { list: [1, `x${NASTY}x`] },
  });
  assert.deepEqual(JSON.parse(line), {
    at: '1970-01-01T00:00:00.000Z',
    level: 'warn',
    scope: 'x',
    message: 'failed: [KEY]',
    plain: '[KEY]',
    quoted: '{"said":"[KEY]"}',
    deep: { list: [1, 'x[KEY]x'] },
  });
});
