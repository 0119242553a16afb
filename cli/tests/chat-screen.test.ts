// needs: pty
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atTerminal } from './pty.ts';
import { fakeHost } from './run-cli.ts';

const since = (): string => new Date().toISOString();

test('the banner says who one talks to, and that a script is one', async (t) => {
  const host = await fakeHost(t);
  const person = atTerminal(host.home, { TERM: 'xterm' }, 80);
  await person.stands([
    'a: mock (a script for tests, no model), sandbox bubblewrap',
    '/help  what you can write besides',
    'Ctrl-D leaves, Ctrl-C stops its work',
    '>',
  ]);
  person.type('\u0004');
  const { code, out } = await person.ended;
  assert.equal(code, 0);
  assert.ok(out.indexOf('\u001b[?2004h') < out.indexOf('\u001b[?2004l'), 'the mode of pasting is left as it was found');
});

for (const columns of [80, 40]) {
  test(`at ${columns} columns: a reply grows in place above the line, and the whole of it takes its place`, async (t) => {
    const host = await fakeHost(t);
    const person = atTerminal(host.home, { TERM: 'xterm' }, columns);
    await person.stands(['>']);
    person.type('@hang\r');
    await host.until(() => host.messages.size === 1);
    person.type('meanwhile');
    await person.shown(/> meanwhile/);
    const words = Array.from({ length: 60 }, (_, n) => `漢字 e\u0301te 🚀 ${n}`);
    host.tell('a', { type: 'progress', state: 'writing', detail: null, since: since() });
    let at = 0;
    for (const word of words.map((it) => `${it}\n`)) {
      host.tell('a', { type: 'partial', turn: 't', reply: 0, at, text: word });
      at += word.length;
    }
    // Twelve rows: the newest of the reply, its state, the line.
    await person.stands([...words.slice(-8), '', '[writing]', '> meanwhile']);
    host.say('a', `${words.join('\n')}\nand the end`, 'd-1');
    await person.stands([...words, 'and the end', '[writing]', '> meanwhile']);
    assert.equal(person.screen.lines.filter((line) => line === words[0]).length, 1);
    person.type('\u0003\u0003');
    await person.ended;
  });
}

test('a piece that does not follow begins anew; one that begins later says so; a tool takes its place', async (t) => {
  const host = await fakeHost(t);
  const person = atTerminal(host.home, { TERM: 'xterm' }, 40);
  await person.stands(['>']);
  person.type('@hang\r');
  await person.shown(/running shell/);
  const piece = (reply: number, at: number, text: string): void =>
    host.tell('a', { type: 'partial', turn: 't', reply, at, text });
  host.tell('a', { type: 'progress', state: 'writing', detail: null, since: since() });
  piece(0, 0, 'one');
  piece(0, 3, ' two');
  await person.stands(['> @hang', 'one two', '[writing]', '>']);
  piece(1, 0, 'other');
  await person.stands(['> @hang', 'other', '[writing]', '>']);
  piece(1, 90, 'evil \u001b]0;t\u0007 end');
  await person.stands(['> @hang', '… evil ␛]0;t␇ end', '[writing]', '>']);
  host.tell('a', { type: 'progress', state: 'waiting', detail: null, since: since() });
  await person.shown(/\[waiting for the model, \d+ s\]/);
  assert.ok(!person.screen.lines.some((line) => line.includes('evil')));
  person.type('\u0003\u0003');
  await person.ended;
});

test('pasted newlines send nothing; what was sent is there again in the next chat', async (t) => {
  const host = await fakeHost(t);
  const person = atTerminal(host.home, { TERM: 'xterm' }, 40);
  await person.stands(['>']);
  person.type('\u001b[200~@reply one\rtwo\nthree\u001b[201~');
  await person.stands(['> @reply one', '  two', '  three']);
  assert.equal(host.messages.size, 0);
  person.type('\r');
  await host.until(() => host.messages.size === 1);
  assert.equal([...host.messages.values()][0]?.text, '@reply one\ntwo\nthree');
  person.type('\u0004');
  await person.ended;
  const later = atTerminal(host.home, { TERM: 'xterm' }, 40);
  await later.stands(['>']);
  later.type('\u001b[A');
  await later.stands(['> @reply one', '  two', '  three']);
  later.type('\u0015again\u001b[D\u001b[D\u007f\u001b[3~\r');
  await host.until(() => host.messages.size === 2);
  assert.equal([...host.messages.values()][1]?.text, 'agn');
  later.type('\u0004');
  assert.equal((await later.ended).code, 0);
});
