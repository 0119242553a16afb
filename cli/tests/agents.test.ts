// needs: pty
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { collect, fakeHost, runCli } from './run-cli.ts';

const MAIN = join(import.meta.dirname, '..', 'main.ts');

test('update sends what was named and nothing else', async (t) => {
  const host = await fakeHost(t);
  const file = join(host.home, 'it.md');
  writeFileSync(file, 'Be short.');
  for (const words of [
    ['--model', 'm2', '--key', 'MY_KEY', '--instructions', file],
    ['--no-key', '--no-base-url'],
    ['--provider', 'demo', '--sandbox', 'process', '--base-url', 'http://127.0.0.1:1', '--api', 'openai'],
  ]) {
    const { code, err } = await runCli(host.home, ['agents', 'update', 'a', ...words]);
    assert.equal(code, 0, err);
  }
  assert.deepEqual(host.patches, [
    { model: 'm2', key: 'MY_KEY', instructions: 'Be short.' },
    { key: null, baseUrl: null },
    { provider: 'demo', sandbox: 'process', baseUrl: 'http://127.0.0.1:1', api: 'openai' },
  ]);
  assert.equal((await runCli(host.home, ['agents', 'update', 'nobody', '--model', 'x'])).code, 1);
  const nothing = await runCli(host.home, ['agents', 'update', 'a']);
  assert.deepEqual([nothing.code, /nothing to change was named/.test(nothing.err)], [2, true]);
});

test('create names a key or none', async (t) => {
  const host = await fakeHost(t);
  const create = (name: string, ...words: string[]) =>
    runCli(host.home, ['agents', 'create', name, '--provider', 'demo', '--sandbox', 'process', '--json', ...words]);
  assert.equal(JSON.parse((await create('b', '--key', 'MY_KEY')).out).key, 'MY_KEY');
  assert.equal(JSON.parse((await create('c', '--no-key')).out).key, null);
  assert.match((await runCli(host.home, ['agents', 'get', 'b'])).out, /^key +MY_KEY$/m);
});

test('delete takes --yes where nobody can be asked', async (t) => {
  const host = await fakeHost(t);
  const unasked = await runCli(host.home, ['agents', 'delete', 'a']);
  assert.deepEqual([unasked.code, unasked.err.includes('agents delete a --yes')], [2, true]);
  assert.ok(host.agents.has('a'));
  const deleted = await runCli(host.home, ['agents', 'delete', 'a', '--yes', '--json']);
  assert.deepEqual([deleted.code, JSON.parse(deleted.out)], [0, { deleted: 'a' }]);
  assert.equal((await runCli(host.home, ['agents', 'delete', 'a', '--yes'])).code, 1);
});

test('delete asks at a terminal, and only yes is yes', async (t) => {
  const host = await fakeHost(t);
  const answered = (keys: string) => {
    const shell = `'${process.execPath}' '${MAIN}' agents delete a`;
    const child = spawn('script', ['-qefc', shell, '/dev/null'], {
      env: { PATH: process.env.PATH, HOME: host.home, HALFDOOR_HOME: host.home, TERM: 'xterm' },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdout.on('data', (part) => {
      if (String(part).includes('[y/N]')) child.stdin.write(keys);
    });
    return collect(child);
  };
  const no = await answered('\r');
  assert.deepEqual([no.code, host.agents.has('a')], [1, true], no.out);
  const yes = await answered('y\r');
  assert.deepEqual([yes.code, host.agents.has('a')], [0, false], yes.out);
});

test('a check that fails ends with 1 in the words of the host', async (t) => {
  const host = await fakeHost(t);
  host.checks.set('a', { ok: false, fault: 'the model endpoint refused the key in the secret K', next: 'Set it.' });
  const { code, err } = await runCli(host.home, ['agents', 'check', 'a']);
  assert.deepEqual([code, err], [1, 'the model endpoint refused the key in the secret K\nSet it.\n']);
});
