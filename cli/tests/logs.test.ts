import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, renameSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { raw, readable } from '../logs/line.ts';
import { freshFolder, runCli, startCli } from './run-cli.ts';

const entry = (message: string, fields: object = {}): string =>
  `${JSON.stringify({ at: '2026-01-31T14:05:09.123Z', level: 'warn', scope: 'net', message, ...fields })}\n`;
const STAMP = '2026-01-31 14:05:09.123 warn  net:';

/** Times of 2026-01-31 as this zone shows them are not compared here. */
const withoutTime = (text: string): string =>
  text.replaceAll(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/gm, '2026-01-31 14:05:09');

/** `logs` with these words, followed until it is killed. */
function follow(t: TestContext, home: string, ...words: string[]) {
  const { child, ended } = startCli(home, ['logs', '-f', ...words]);
  t.after(() => child.kill('SIGKILL'));
  let [out, err] = ['', ''];
  let looked = (): void => {};
  const take = (to: 'out' | 'err') => (part: unknown) => {
    if (to === 'out') out += String(part);
    else err += String(part);
    looked();
  };
  child.stdout.on('data', take('out'));
  child.stderr.on('data', take('err'));
  const until = async (pattern: RegExp): Promise<string> => {
    while (!pattern.test(out + err)) await new Promise<void>((resolve) => (looked = resolve));
    return out;
  };
  return { child, ended, until };
}

test('entries in words, time in the local zone, what is no entry as it stands', async (t) => {
  const home = freshFolder(t);
  const text = entry('refused', { host: 'a.b', why: 'not allowed', code: 403, deep: { x: [1] } });
  writeFileSync(join(home, 'host.log'), `ready\n${text}{"level":"info"}\n\nlast without an end`);
  const { code, out, err } = await runCli(home, ['logs']);
  assert.deepEqual([code, err], [0, '']);
  const said = `ready\n${STAMP} refused host=a.b why="not allowed" code=403 deep={"x":[1]}\n{"level":"info"}\n\n`;
  assert.equal(withoutTime(out), said);
  const at = new Date('2026-01-31T14:05:09.123Z');
  assert.equal(out.slice(out.indexOf('2026') + 11, out.indexOf('2026') + 13), String(at.getHours()).padStart(2, '0'));
});

test('the last of many; --json as written', async (t) => {
  const home = freshFolder(t);
  const lines = Array.from({ length: 5_000 }, (_, n) => entry(`number ${n}`));
  writeFileSync(join(home, 'host.log'), lines.join(''));
  const { out } = await runCli(home, ['logs', '-n', '3', '--json']);
  assert.equal(out, lines.slice(-3).join(''));
  assert.equal((await runCli(home, ['logs'])).out.split('\n').length - 1, 100);
  assert.equal((await runCli(home, ['logs', '-n', '0'])).out, '');
  for (const wrong of ['-1', 'x', '1e3']) assert.equal((await runCli(home, ['logs', '-n', wrong])).code, 2, wrong);
});

test('no line can drive a terminal', () => {
  const evil = '\u001b]0;title\u0007\u009b2J\u202e\n\r';
  for (const line of [entry(evil, { [evil]: evil }).trim(), `plain ${evil.trim()}`]) {
    for (const shown of [readable(line, () => 'T'), raw(line)])
      assert.doesNotMatch(shown, /[\u0000-\u001f\u007f-\u009f\u202e]/); // oxlint-disable-line no-control-regex
  }
  assert.deepEqual(JSON.parse(raw(entry(evil).trim())), JSON.parse(entry(evil)));
});

test('-f: waits for the file, and goes on after it was cut short or replaced', async (t) => {
  const home = freshFolder(t);
  const log = join(home, 'host.log');
  const it = follow(t, home);
  await it.until(/no log at .* yet: waiting/);
  writeFileSync(log, entry('one'));
  await it.until(/net: one\n/);
  appendFileSync(log, entry('two').slice(0, 20));
  appendFileSync(log, entry('two').slice(20));
  await it.until(/net: two\n/);
  truncateSync(log, 0);
  appendFileSync(log, 'x\n');
  await it.until(/^x\n/m);
  writeFileSync(`${log}.new`, entry('of another file').repeat(3));
  renameSync(`${log}.new`, log);
  const out = await it.until(/(of another file\n.*){3}/s);
  assert.deepEqual(withoutTime(out).split('\n'), [
    `${STAMP} one`,
    `${STAMP} two`,
    'x',
    ...Array.from({ length: 3 }, () => `${STAMP} of another file`),
    '',
  ]);
  it.child.kill('SIGINT');
  await it.ended;
});

test('what is no log of a host is not read', async (t) => {
  const home = freshFolder(t);
  const none = await runCli(home, ['logs']);
  assert.deepEqual([none.code, none.out], [1, '']);
  assert.match(none.err, /there is no log at .*\nA host started detached writes one: \.\/halfdoor start --detach\n$/);
  symlinkSync('/etc/passwd', join(home, 'host.log'));
  assert.match((await runCli(home, ['logs'])).err, /cannot be read \(ELOOP\)/);
  const other = freshFolder(t);
  mkdirSync(join(other, 'host.log'));
  assert.match((await runCli(other, ['logs'])).err, /is not a log that a host wrote\nLook at it: ls -l /);
});
