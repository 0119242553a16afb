// needs: userns
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openWorld } from '../world/host.ts';
import { killOne } from '../world/kill.ts';

const ASKED = 20;

const SHOWN: [ask: string, answer: RegExp][] = [
  ['1', /I am in \/s\/work, as user 1000 on agent[^]*Your home folders.*No such file[^]*Processes I see: .*tini/],
  ['2', /I wrote 38 bytes to \/s\/work\/halfdoor-demo\.txt[^]*Written by a script/],
  ['3', /I ran: uname[^]*2 to the 10th is 1024/],
  ['run: id -u; cat /etc/shadow', /^It printed:\n {4}1000\n.*\/etc\/shadow: /],
  [
    '4',
    /example\.com: no address found[^]*address: Network is unreachable, [^]*:11434: Connection refused, that is the/,
  ],
  ['5', /I can send to: terminal\. [^]*"somebody-else", which I was not given/],
  ['6', /The host told me: Message \d+ was not sent: [^]*\/s\/in\/inbound\.db: Read-only file system/],
  ['and now?', /I did not understand that: I am a script/],
];

test('the script shows all six things for real, from inside a sandbox, and each answer leads on', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a', provider: 'demo', sandbox: 'bubblewrap' });
  const greeting = await world.reply('a', 'good morning');
  assert.match(greeting, /^I am a script, not a model[^]* 6 {2}the door/);
  for (const [ask, answer] of SHOWN) {
    const said = await world.reply('a', ask);
    assert.match(said, answer);
    assert.match(said, /\.\/halfdoor setup/);
    assert.ok(said.split('\n').length <= 13, said);
  }
  const { folder } = await world.session('a');
  assert.equal(readFileSync(join(folder, 'work', 'halfdoor-demo.txt'), 'utf8').split(' ')[0], 'Written');
});

test('its answers are shown as they are written, and a run that dies forgets nothing', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a', provider: 'demo', sandbox: 'bubblewrap' });
  const chat = world.chat('a');
  // It writes for a quarter of a second: a busy machine may see too little of one answer, and is asked again.
  let pieces: string[] = [];
  for (let asked = 1; pieces.length < 2 && asked <= ASKED; asked++) {
    const before = chat.events.length;
    await world.send('a', 'hello');
    const text = await chat.until(() => (chat.texts.length === asked ? chat.texts.at(-1) : undefined));
    pieces = chat.events.slice(before).flatMap((it) => (it.type === 'partial' ? [it.text] : []));
    assert.ok(text.startsWith(pieces.join('')), JSON.stringify(pieces));
  }
  assert.ok(pieces.length >= 2, JSON.stringify(pieces));
  killOne((await world.session('a')).pid, 'SIGKILL');
  assert.match(await world.reply('a', 'nonsense'), /^I did not understand that/);
  chat.close();
});
