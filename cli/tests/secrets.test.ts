// needs: pty
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { Line } from '../question.ts';
import { collect, fakeHost, runCli } from './run-cli.ts';

const MAIN = join(import.meta.dirname, '..', 'main.ts');
const VALUE = 'sk-shown-to-nobody';

test('a value from a pipe is kept without the newline at its end, and never shown', async (t) => {
  const { home, secrets } = await fakeHost(t);
  const plain = await runCli(home, ['secrets', 'set', 'OPENAI_API_KEY'], `${VALUE}\n`);
  assert.deepEqual([plain.code, plain.out], [0, 'kept OPENAI_API_KEY; given for a from the next request on\n']);
  assert.equal(secrets.get('OPENAI_API_KEY'), VALUE);
  const json = await runCli(home, ['secrets', 'set', 'OTHER', '--json'], VALUE);
  assert.equal(JSON.parse(json.out).name, 'OTHER');
  const list = await runCli(home, ['secrets', 'list']);
  assert.match(list.out, /^NAME +FROM +GIVEN FOR +CHANGED\nOPENAI_API_KEY +kept +a +2026/);
  assert.ok(![plain, json, list].some(({ out, err }) => out.includes(VALUE) || err.includes(VALUE)));
});

test('removing one, and one that is not there', async (t) => {
  const { home } = await fakeHost(t);
  await runCli(home, ['secrets', 'set', 'A'], 'x');
  assert.equal((await runCli(home, ['secrets', 'remove', 'A'])).out, 'removed A\n');
  const again = await runCli(home, ['secrets', 'remove', 'A', '--json']);
  assert.deepEqual([again.code, JSON.parse(again.out).error], [1, 'there is no secret A']);
  assert.equal((await runCli(home, ['secrets', 'list'])).out.startsWith('no secrets yet'), true);
});

test('a value in argv, in the place of the name, or none at all: wrong use, repeated nowhere, sent nowhere', async (t) => {
  const { home, secrets } = await fakeHost(t);
  for (const [words, said] of [
    [['OPENAI_API_KEY', VALUE], /never taken from the command line: every process/],
    [[VALUE], /capital letters/],
    [[`OPENAI_API_KEY=${VALUE}`], /capital letters/],
    [['OPENAI_API_KEY'], /no value was given/],
  ] as const) {
    for (const json of [[], ['--json']]) {
      const { code, out, err } = await runCli(home, ['secrets', 'set', ...words, ...json], '');
      assert.equal(code, 2);
      assert.match(out + err, said);
      assert.ok(!(out + err).includes(VALUE));
    }
  }
  assert.equal(secrets.size, 0);
});

test('at a terminal the value is asked for and not echoed; Ctrl-C changes nothing', async (t) => {
  const { home, secrets } = await fakeHost(t);
  const typed = async (keys: string, more = '') => {
    const shell = `'${process.execPath}' '${MAIN}' secrets set TYPED ${more}`;
    const child = spawn('script', ['-qefc', shell, '/dev/null'], {
      env: { PATH: process.env.PATH, HOME: home, HALFDOOR_HOME: home, TERM: 'xterm' },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdout.on('data', (part) => {
      if (String(part).includes('not shown')) child.stdin.write(keys);
    });
    return collect(child);
  };
  const { code, out } = await typed(`wrong\u0015${VALUE}x\u007f\r`);
  assert.deepEqual([code, secrets.get('TYPED')], [0, VALUE]);
  assert.ok(!out.includes(VALUE), out);
  assert.match(out, /^TYPED \(not shown\): \r\nkept TYPED/);
  secrets.clear();
  assert.equal((await typed(`${VALUE}\u0003`)).code, 2);
  assert.equal(secrets.size, 0);
  // The question goes by way of another program: no terminal for us, and still nothing is echoed.
  const elsewhere = await typed(`${VALUE}\r`, '2>&1 | cat');
  assert.deepEqual([secrets.get('TYPED'), elsewhere.out.includes(VALUE)], [VALUE, false]);
  secrets.clear();
  assert.equal(secrets.size, 0);
});

test('what is typed: erased, cleared, broken off, pasted in pieces', () => {
  const line = (...parts: string[]): string => {
    const it = new Line();
    parts.some((part) => it.take(part));
    return it.text;
  };
  assert.equal(line('ab', 'c\u007f', 'd\r', 'more'), 'abd');
  assert.equal(line('\u007f', 'é😀\u007f', '\n'), 'é');
  assert.equal(line('abc', '\u001b[D', 'd', '\r'), 'abcd');
  assert.equal(line('abc\u0015x\r'), 'x');
  assert.equal(line('abc\u0004'), '');
});
