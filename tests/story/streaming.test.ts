import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ChatEvent } from '../../host/api/contract.ts';
import { newIn, type Shown } from '../../host/api/partials.ts';
import { openWorld, type Chat } from '../world/host.ts';

type Partial = Extract<ChatEvent, { type: 'partial' }>;

const partialsIn = (events: readonly ChatEvent[]): Partial[] =>
  events.flatMap((it) => (it.type === 'partial' ? [it] : []));

const message = (chat: Chat): Promise<string> =>
  chat.until((events) => events.flatMap((it) => (it.type === 'message' ? [it.text] : []))[0]);

test('a reply is shown as it is written: each piece once, together a beginning of what is sent', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  await world.createAgent({ name: 'b' });
  const [chat, other] = [world.chat('a'), world.chat('b')];
  await chat.until((events) => events.find((it) => it.type === 'ready'));
  await other.until((events) => events.find((it) => it.type === 'ready'));
  await world.send('a', `@slow 2000 ${'zwölf 漢字 and more '.repeat(400)}`);
  const text = await message(chat);
  const pieces = partialsIn(chat.events);
  assert.ok(pieces.length >= 3, `${pieces.length} pieces`);
  let shown = '';
  for (const { at, text: piece, reply } of pieces) {
    assert.equal(reply, 0);
    assert.equal(text.slice(at, at + piece.length), piece);
    if (at === shown.length) shown += piece;
  }
  assert.ok(text.startsWith(shown) && shown.length > 100);
  const states = chat.events.flatMap((it) => (it.type === 'progress' ? [it.state] : []));
  assert.equal(states.filter((state) => state === 'writing').length, 1, 'told once, not with every piece');
  await world.reply('b', '@reply x');
  assert.deepEqual(partialsIn(other.events), []);
  chat.close();
  other.close();
});

test('what the sandbox claims to write to a destination it was not given is shown to nobody', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const chat = world.chat('a');
  const line = (to: string, detail: string): string =>
    JSON.stringify({
      ...{ run: 1, turn: 't', state: 'retrying', detail, since: '2026-01-01T00:00:00.000Z' },
      said: { to, reply: 3, at: 5, text: `for ${to} \u001b[2J` },
    });
  const script = [
    `printf '%s\\n' '${line('elsewhere', 'one')}' > ../out/progress`,
    'until [ -e go ]; do sleep 0.05; done',
    `printf '%s\\n' '${line('terminal', 'two')}' > ../out/progress`,
    'until [ -e stop ]; do sleep 0.05; done',
  ];
  const id = await world.send('a', `@shell ${script.join('; ')}`);
  const work = join((await world.session('a')).folder, 'work');
  await chat.until((events) => events.find((it) => it.type === 'progress' && it.detail === 'one'));
  writeFileSync(join(work, 'go'), '');
  const piece = await chat.until((events) => partialsIn(events)[0]);
  assert.deepEqual(piece, { type: 'partial', turn: 't', reply: 3, at: 5, text: 'for terminal \u001b[2J' });
  writeFileSync(join(work, 'stop'), '');
  assert.equal((await world.settled(id)).status, 'answered');
  chat.close();
});

const SHOWN: Shown = { turn: 't', reply: 1, end: 10 };
const said = (at: number, text: string, reply = 1) => ({ to: 'terminal', reply, at, text });

const TABLE: [name: string, shown: Shown | null, it: ReturnType<typeof said>, fresh: [number, string] | null][] = [
  ['the first piece', null, said(0, 'abc'), [0, 'abc']],
  ['somebody comes in mid-reply', null, said(90, 'abc'), [90, 'abc']],
  ['only what follows', SHOWN, said(4, 'efghijKLM'), [10, 'KLM']],
  ['right behind it', SHOWN, said(10, 'KLM'), [10, 'KLM']],
  ['nothing new', SHOWN, said(4, 'efghij'), null],
  ['a hole', SHOWN, said(20, 'uvw'), [20, 'uvw']],
  ['an offset that went back', SHOWN, said(0, 'abc'), [0, 'abc']],
  ['another reply', SHOWN, said(0, 'abcdefghijklm', 2), [0, 'abcdefghijklm']],
  ['another turn', { ...SHOWN, turn: 'u' }, said(0, 'abcdefghijklm'), [0, 'abcdefghijklm']],
];

for (const [name, shown, it, fresh] of TABLE) {
  test(`what is new of a reply: ${name}`, () => {
    const found = newIn(shown, 't', it);
    assert.deepEqual(found && [found.at, found.text], fresh);
  });
}
