import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost, runCli, startCli } from './run-cli.ts';

test('without --wait: accepted, with the id the host knows it by', async (t) => {
  const host = await fakeHost(t);
  const { code, out } = await runCli(host.home, ['send', 'a', '@reply hello', '--json']);
  const { id, ...rest } = JSON.parse(out);
  assert.deepEqual([code, rest], [0, { status: 'accepted', replies: [] }]);
  assert.equal(host.messages.get(id)?.text, '@reply hello');
});

test('answered: the replies, and the host is told that they were shown', async (t) => {
  const host = await fakeHost(t);
  const { code, out } = await runCli(host.home, ['send', 'a', '@reply hello', '--wait', '--json']);
  const { id, ...rest } = JSON.parse(out);
  assert.deepEqual([code, rest], [0, { status: 'answered', replies: [{ seq: 1, text: 'hello', to: 'terminal' }] }]);
  assert.deepEqual(host.received, [`d-${id}`]);
  assert.equal((await runCli(host.home, ['send', 'a', '@reply again', '--wait'])).out, 'again\n');
});

test('no-reply is 0, failed is 1 with error and next', async (t) => {
  const { home } = await fakeHost(t);
  const silent = await runCli(home, ['send', 'a', '@silent', '--wait', '--json']);
  assert.deepEqual([silent.code, JSON.parse(silent.out).status], [0, 'no-reply']);
  const failed = await runCli(home, ['send', 'a', '@fail', '--wait', '--json']);
  const { status, error, next } = JSON.parse(failed.out);
  assert.deepEqual([failed.code, status, error, next], [1, 'failed', 'the provider failed', 'Look at the key.']);
  assert.equal((await runCli(home, ['send', 'a', '@fail', '--wait'])).err, 'the provider failed\nLook at the key.\n');
});

test('timeout is 1 and says that it stays queued', async (t) => {
  const { home } = await fakeHost(t);
  const { code, out } = await runCli(home, ['send', 'a', '@hang', '--wait', '--timeout', '50ms', '--json']);
  const { status, next } = JSON.parse(out);
  assert.deepEqual([code, status], [1, 'timeout']);
  assert.match(next, /stays queued/);
  assert.equal((await runCli(home, ['send', 'a', 'x', '--timeout', 'soon'])).code, 2);
});

test('timeout: what the host has said of it meanwhile is shown', async (t) => {
  const host = await fakeHost(t);
  const { code, out, err } = await runCli(host.home, ['send', 'a', '@park', '--wait', '--timeout', '50ms']);
  assert.deepEqual([code, out], [1, 'it waits for the quota\n']);
  assert.match(err, /^no answer within 50ms\nIt stays queued/);
  assert.equal(host.received.length, 1);
});

test("'-' reads standard input; text over the limit is refused before it is sent", async (t) => {
  const host = await fakeHost(t);
  const read = await runCli(host.home, ['send', 'a', '-', '--wait'], '@reply two\nlines\n');
  assert.equal(read.out, 'two\nlines\n');
  const large = await runCli(host.home, ['send', 'a', '-', '--wait'], 'x'.repeat(1024 * 1024));
  assert.equal(large.code, 1);
  assert.match(large.err, /at most 65536 bytes\nSend it in parts/);
  assert.equal(host.messages.size, 1);
});

test('a host that restarts while somebody waits is waited for', async (t) => {
  const host = await fakeHost(t);
  const { child, ended } = startCli(host.home, ['send', 'a', '@hang', '--wait', '--json']);
  child.stdin.end();
  await host.until(() => host.messages.size === 1);
  await host.close();
  await host.open();
  await runCli(host.home, ['send', 'a', '/stop']);
  assert.equal(JSON.parse((await ended).out).status, 'no-reply');
});
