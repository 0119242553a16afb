import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fakeHost, freshFolder, runCli } from './run-cli.ts';

test('verbs that need a host end with 3 when none runs', async (t) => {
  const home = freshFolder(t);
  for (const words of [
    ['status'],
    ['stop'],
    ['agents', 'list'],
    ['agents', 'get', 'a'],
    ['agents', 'update', 'a', '--model', 'm'],
    ['agents', 'delete', 'a', '--yes'],
    ['agents', 'check', 'a'],
    ['secrets', 'list'],
    ['secrets', 'remove', 'A'],
    ['sessions', 'list'],
    ['sessions', 'show', '0123'],
    ['sessions', 'tail', '0123'],
    ['sessions', 'stop', '0123'],
    ['sessions', 'reset', '0123'],
    ['trace', '0123'],
    ['dead', 'list'],
    ['dead', 'show', '0123'],
    ['dead', 'replay', '0123'],
    ['dead', 'replay', '--all'],
    ['dead', 'drop', '0123'],
  ]) {
    const { code, out, err } = await runCli(home, words);
    assert.deepEqual([code, out], [3, ''], words.join(' '));
    assert.match(err, /no host is running[^]*start --detach/);
  }
});

test('a run file that names a dead socket is no host either', async (t) => {
  const home = freshFolder(t);
  writeFileSync(join(home, 'run'), `${home}\n`);
  assert.equal((await runCli(home, ['status'])).code, 3);
});

test('wrong use ends with 2 and says how, with --json as JSON', async (t) => {
  const home = freshFolder(t);
  for (const words of [
    ['frob'],
    ['send', 'a'],
    ['sessions', 'get', '0123'],
    ['agents', 'create', 'x'],
    ['agents', 'create', 'x', '--provider', 'mock', '--sandbox', 'none'],
    ['chat', 'a', 'b'],
  ]) {
    const plain = await runCli(home, words);
    assert.deepEqual([plain.code, plain.out], [2, ''], words.join(' '));
    assert.match(plain.err, /error: /);
    const json = await runCli(home, ['--json', ...words]);
    assert.deepEqual([json.code, json.err], [2, '']);
    assert.deepEqual(Object.keys(JSON.parse(json.out)), ['error', 'next']);
  }
});

test('dead replay takes one id or all, not both and not neither', async (t) => {
  const home = freshFolder(t);
  for (const words of [
    ['dead', 'replay'],
    ['dead', 'replay', '0123', '--all'],
  ]) {
    const { code, err } = await runCli(home, words);
    assert.equal(code, 2);
    assert.match(err, /one dead letter, or --all[^]*dead list/);
  }
});

test('status, agents and sessions, for people and as JSON before and after the verb', async (t) => {
  const { home, uids } = await fakeHost(t);
  const plain = await runCli(home, ['status']);
  assert.equal(plain.code, 0);
  assert.match(plain.out, /^sandbox +bubblewrap ok$/m);
  for (const words of [
    ['--json', 'status'],
    ['status', '--json'],
  ]) {
    assert.equal(JSON.parse((await runCli(home, words)).out).home, home);
  }
  assert.match((await runCli(home, ['agents', 'list'])).out, /^a +mock/m);
  assert.equal(JSON.parse((await runCli(home, ['agents', 'get', 'a', '--json'])).out).name, 'a');
  assert.deepEqual(JSON.parse((await runCli(home, ['sessions', 'list', '--json'])).out), []);
  assert.deepEqual([...uids], [String(process.getuid?.())]);
});

test('agents create sends what was asked, with the text of the instructions', async (t) => {
  const host = await fakeHost(t);
  const file = join(host.home, 'it.md');
  writeFileSync(file, 'Be short.');
  const words = [
    'agents',
    'create',
    'b',
    '--provider',
    'direct',
    '--model',
    'm',
    '--base-url',
    'http://127.0.0.1:1/v1',
  ];
  const { code, out } = await runCli(host.home, [
    ...words,
    '--api',
    'openai',
    '--sandbox',
    'process',
    '--instructions',
    file,
    '--json',
  ]);
  assert.equal(code, 0);
  const made = JSON.parse(out);
  assert.deepEqual(
    [made.name, made.provider, made.model, made.api, made.sandbox],
    ['b', 'direct', 'm', 'openai', 'process'],
  );
  const missing = await runCli(host.home, [...words, '--sandbox', 'process', '--instructions', `${file}.not`]);
  assert.equal(missing.code, 2);
});

test('what the host refuses is shown in its words and ends with 1', async (t) => {
  const { home } = await fakeHost(t);
  const plain = await runCli(home, ['agents', 'get', '../x\u001b[2J']);
  assert.equal(plain.code, 1);
  assert.equal(plain.err, 'no agent named ../x␛[2J\nSee the list.\n');
  const json = await runCli(home, ['send', 'nobody', 'hi', '--json']);
  assert.deepEqual([json.code, JSON.parse(json.out)], [1, { error: 'no agent named nobody', next: 'See the list.' }]);
});
