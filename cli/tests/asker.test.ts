import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { Failure } from '../failure.ts';
import { answersAsker, readAnswers } from '../setup/answers.ts';
import { plainAsker } from '../setup/plain-asker.ts';
import { freshFolder } from './run-cli.ts';

/** A keyboard and a screen, without a terminal between them. */
function before(typed: string) {
  const [input, output] = [new PassThrough(), new PassThrough()];
  let shown = '';
  output.on('data', (part) => (shown += String(part)));
  const raw: boolean[] = [];
  const asker = plainAsker({
    input: Object.assign(input, { setRawMode: (on: boolean) => void raw.push(on) }) as never,
    output: output as never,
  });
  input.write(typed);
  return { asker, input, raw, shown: () => shown };
}

const COLOURS = {
  id: 'colour',
  ask: 'Which?',
  otherwise: 'b',
  options: [
    { value: 'a', label: 'the first' },
    { value: 'b', label: 'the second', hint: 'better' },
  ],
};

test('plain: yes, no and return alone', async () => {
  const { asker, shown } = before('y\nNo\n\n');
  const ask = () => asker.confirm({ id: 'x', ask: 'Go on?', otherwise: true });
  assert.deepEqual([await ask(), await ask(), await ask()], [true, false, true]);
  assert.equal(shown(), 'Go on? [Y/n] '.repeat(3));
});

test('plain: a choice by its number, by return, and again after one that is not there', async () => {
  const { asker, shown } = before('1\n\n7\nx\n2\n');
  assert.equal(await asker.select(COLOURS), 'a');
  assert.equal(await asker.select(COLOURS), 'b');
  assert.equal(await asker.select(COLOURS), 'b');
  assert.match(shown(), /Which\?\n {2}1 {2}the first\n {2}2 {2}the second \(better\)\nA number, return for 2:/);
  assert.match(shown(), /There is no "7" here\.\n[^]*There is no "x" here\./);
});

const NAMED = {
  id: 'name',
  ask: 'Name',
  otherwise: 'x',
  problem: (name: string) => (/^[a-z]+$/.test(name) ? null : 'small letters only'),
};

test('a text that does not do: a person is asked again, a file of answers is refused', async () => {
  const { asker, shown } = before('My Bot\nbot\n\n');
  assert.deepEqual([await asker.text(NAMED), await asker.text(NAMED)], ['bot', 'x']);
  assert.match(shown(), /^Name \[x\]: small letters only\nName \[x\]: /);
  assert.throws(() => answersAsker({ name: 'My Bot' }, () => {}).text(NAMED), /"My Bot" is no answer to name/);
});

test('plain: what is typed unseen is rubbed out by its own keys, and the terminal is given back', async () => {
  const { asker, shown, raw } = before('sekx\u007fret\u007f\u007fet\r');
  assert.equal(await asker.secret({ id: 'k', ask: 'Key' }), 'sekret');
  assert.deepEqual(raw, [true, false]);
  assert.equal(shown(), 'Key (not shown): \n');
});

test('plain: Ctrl-C at a key, and the end of the input anywhere, leave', async () => {
  const leaving = before('abc\u0003');
  assert.equal(await leaving.asker.secret({ id: 'k', ask: 'Key' }), null);
  const ended = before('');
  ended.input.end();
  assert.equal(await ended.asker.text({ id: 't', ask: 'Name', otherwise: 'x' }), null);
  assert.equal(await ended.asker.confirm({ id: 'c', ask: 'Sure?', otherwise: true }), null);
});

test('plain: nothing that drives a terminal is printed, whatever is asked', async () => {
  const { asker, shown } = before('\n');
  await asker.text({ id: 't', ask: 'evil \u001b]0;x\u0007', otherwise: '\u001b[31mred' });
  assert.ok(!shown().includes('\u001b'));
});

test('answers: what was given, else what is usual; what does not fit is said', async () => {
  const asker = answersAsker({ colour: 'a', go: false }, () => {});
  assert.equal(await asker.select(COLOURS), 'a');
  assert.equal(await asker.confirm({ id: 'go', ask: 'Go?', otherwise: true }), false);
  assert.equal(await asker.text({ id: 'name', ask: 'Name', otherwise: 'x' }), 'x');
  assert.equal(await asker.secret({ id: 'k', ask: 'Key' }), null);
  const wrong = answersAsker({ colour: 'green', go: 'yes' }, () => {});
  assert.throws(() => wrong.select(COLOURS), /"green" is no answer to colour/);
  assert.throws(() => wrong.confirm({ id: 'go', ask: 'Go?', otherwise: true }), Failure);
});

for (const [name, text, says] of [
  ['no JSON', 'provider: demo', /no file of answers/],
  ['a list', '[]', /no file of answers/],
  ['what is never asked', '{"colour": "red"}', /nothing named "colour" is asked/],
  ['a number', '{"model": 3}', /answer to model is neither/],
] as const) {
  test(`a file of answers with ${name} is refused before anything is done`, (t) => {
    const path = join(freshFolder(t), 'answers.json');
    writeFileSync(path, text);
    assert.throws(
      () => readAnswers(path),
      (error: unknown) => error instanceof Failure && error.exitCode === 2 && says.test(error.message),
    );
  });
}
