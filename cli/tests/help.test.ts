/** What every command says of itself and of a mistake, as a pipe gets it: no escape, no line too long, a next step. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeProgram } from '../commands.ts';
import type { Context } from '../context.ts';
import { leaves } from '../examples.ts';
import { makePrinter } from '../printer.ts';
import { fakeHost, freshFolder, runCli, startCli, type Ended } from './run-cli.ts';

const COLUMNS = 80;
const ESCAPE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/; // oxlint-disable-line no-control-regex

const printer = makePrinter(
  false,
  () => {},
  () => {},
);
/** Only the names are looked at: nothing is called. */
const commands = leaves(makeProgram({ printer } as Context, '0'));

function isPlain({ out, err }: Ended, what: string): void {
  assert.doesNotMatch(out + err, ESCAPE, what);
  const long = `${out}\n${err}`.split('\n').filter((line) => line.length > COLUMNS);
  assert.deepEqual(long, [], what);
}

test('every command has an example that is a use of itself; its help keeps to 80 columns and holds no escape', async (t) => {
  const home = freshFolder(t);
  assert.ok(commands.length > 10);
  for (const { name } of commands) {
    const said = await runCli(home, [...name.split(' '), '--help']);
    const example = /\nExample:\n {2}\.\/halfdoor (.*)\n$/.exec(said.out)?.[1] ?? 'none';
    assert.equal(said.code, 0);
    assert.ok(example === name || example.startsWith(`${name} `), `${name}: its example is ${example}`);
    isPlain(said, `${name} --help`);
  }
});

test('the help of groups, and of all, keeps to 80 columns and holds no escape', async (t) => {
  const home = freshFolder(t);
  for (const group of new Set(commands.map(({ name }) => name.split(' ').slice(0, -1).join(' ')))) {
    const said = await runCli(home, [...group.split(' ').filter(Boolean), '--help']);
    assert.equal(said.code, 0);
    isPlain(said, `${group} --help`);
  }
});

test('common errors keep to 80 columns, hold no escape, and end with a next step', async (t) => {
  const { home } = await fakeHost(t);
  const none = freshFolder(t);
  for (const [at, words] of [
    [none, ['status']],
    [none, ['stop']],
    [none, ['logs']],
    [none, ['agents', 'list']],
    [none, ['sessions', 'show', '0123']],
    [none, ['logs', '-n', 'x']],
    [none, ['frob\u001b[2J']],
    [none, ['stat']],
    [none, ['chat']],
    [none, ['send', 'a']],
    [none, ['start', '--frob']],
    [none, ['agents', 'create', 'x']],
    [none, ['agents', 'create', 'x', '--provider', 'mock', '--sandbox', 'none']],
    [none, ['bench', 'frob']],
    [home, ['agents', 'get', '../x\u001b[2J\u009b1m']],
    [home, ['send', 'nobody', 'hi']],
    [home, ['send', 'a', 'hi', '--timeout', 'soon']],
    [home, ['send', 'a', '@fail', '--wait']],
    [home, ['chat', 'nobody']],
  ] as const) {
    const said = await runCli(at, words);
    assert.notEqual(said.code, 0, words.join(' '));
    isPlain(said, words.join(' '));
    assert.ok(said.err.trim().split('\n').length >= 2, `${words.join(' ')} has no next step: ${said.err}`);
  }
});

test('neither NO_COLOR nor TERM=dumb nor FORCE_COLOR brings an escape into a pipe', async (t) => {
  const { home } = await fakeHost(t);
  for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }, { FORCE_COLOR: '1' }]) {
    for (const words of [['status'], ['agents', 'list'], ['--help'], ['frob'], ['doctor', '--all']]) {
      const { child, ended } = startCli(home, words, env);
      child.stdin.end();
      const { out, err } = await ended;
      assert.doesNotMatch(out + err, ESCAPE, `${words.join(' ')} with ${JSON.stringify(env)}`);
    }
  }
});
