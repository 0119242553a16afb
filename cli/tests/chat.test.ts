// needs: pty
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atTerminal } from './pty.ts';
import { fakeHost, runCli, startCli } from './run-cli.ts';

test('lines from a pipe: all sent in order, waited for, no escape in the output', async (t) => {
  const host = await fakeHost(t);
  const { code, out } = await runCli(host.home, ['chat', 'a'], '@reply one\n\n@silent\n@reply two\n');
  assert.equal(code, 0);
  assert.equal(out.replaceAll(/^\[.*\]\n/gm, ''), 'one\ntwo\n');
  assert.ok(!out.includes('\u001b'));
  assert.deepEqual(
    [...host.messages.values()].map(({ text }) => text),
    ['@reply one', '@silent', '@reply two'],
  );
  assert.deepEqual(host.waiting, []);
});

test('what came while nobody was there is shown first, and once', async (t) => {
  const host = await fakeHost(t);
  host.say('a', 'you were away', 'd-early');
  const { out } = await runCli(host.home, ['chat', 'a'], '@reply now\n');
  assert.match(out, /^\* 1 reply came while nobody was here:\nyou were away\n(\[.*\]\n)*now\n$/m);
  assert.ok(host.received.includes('d-early'));
  assert.doesNotMatch((await runCli(host.home, ['chat', 'a'], '@reply later\n')).out, /away/);
});

test('a failed message ends a piped chat with 1; an unknown agent is told before anything', async (t) => {
  const { home } = await fakeHost(t);
  const failed = await runCli(home, ['chat', 'a'], '@fail\n');
  assert.deepEqual([failed.code, failed.out.includes('the provider failed')], [1, true]);
  const nobody = await runCli(home, ['chat', 'nobody'], 'x\n');
  assert.deepEqual([nobody.code, nobody.out], [1, '']);
});

test('--json shows every event, one a line', async (t) => {
  const { home } = await fakeHost(t);
  const { out } = await runCli(home, ['chat', 'a', '--json'], '@reply \u009b one\n');
  const types = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).type);
  assert.deepEqual(types, ['ready', 'message', 'settled']);
  assert.ok(!out.includes('\u009b'));
});

test('a host that restarts in mid-turn: the chat connects again and shows the answer', async (t) => {
  const host = await fakeHost(t);
  const { child, ended } = startCli(host.home, ['chat', 'a']);
  child.stdin.end('@hang\n');
  await host.until(() => host.messages.size === 1);
  await host.close();
  host.say('a', 'after all', 'd-late');
  await host.open();
  await host.until(() => host.received.includes('d-late'));
  await runCli(host.home, ['send', 'a', '/stop']);
  const { code, out } = await ended;
  assert.equal(code, 0);
  assert.match(out, /host went away[^]*after all/);
});

test('at a terminal: working line, Ctrl-C stops the turn, twice leaves', async (t) => {
  const host = await fakeHost(t);
  const person = atTerminal(host.home, { TERM: 'xterm' });
  await person.shown(/> /);
  person.type('@hang\r');
  await person.shown(/\[running shell, \d+ s\]/);
  person.type('\u0003');
  await host.until(() => [...host.messages.values()].some(({ text }) => text === '/stop'));
  await person.shown(/stopping/);
  person.type('\u0003');
  assert.equal((await person.ended).code, 0);
});

for (const env of [{ TERM: 'dumb' }, { TERM: 'xterm', NO_COLOR: '1' }]) {
  test(`at a terminal with ${JSON.stringify(env)}: plain lines, Ctrl-D leaves`, async (t) => {
    const host = await fakeHost(t);
    const person = atTerminal(host.home, env);
    await host.until(() => host.uids.size > 0);
    person.type('@hang\n');
    await person.shown(/^\[running shell\]\r?\n/m);
    host.say('a', 'evil \u001b]0;title\u0007 text', 'd-1');
    await person.shown(/evil ␛\]0;title␇ text/);
    person.type('\u0004');
    const { code, out } = await person.ended;
    assert.deepEqual([code, out.includes('\u001b')], [0, false]);
  });
}
