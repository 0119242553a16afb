import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ApiError, MessageView } from '../../host/api/contract.ts';
import { held, isAtTool, letGo } from '../world/held.ts';
import { openWorld } from '../world/host.ts';

test('a message goes in, its answer comes out', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const view = await world.ask('a', '@reply hello');
  assert.equal(view.status, 'answered');
  assert.deepEqual(
    view.replies.map(({ text, to }) => ({ text, to })),
    [{ text: 'hello', to: 'terminal' }],
  );
  assert.equal((view.replies[0]?.seq ?? 0) % 2, 1);
});

test('the same message id is one message', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const first = await world.send('a', '@reply once', 'my-id');
  assert.equal(await world.send('a', '@reply once', 'my-id'), first);
  assert.equal((await world.settled(first)).replies.length, 1);
  assert.equal(await world.send('a', '@reply once', 'my-id'), first);
  await world.reply('a', '@reply fence');
  assert.equal((await world.settled(first)).replies.length, 1);
});

test('every kind of bad input gets its own error and a next step, and the host lives', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const cases: [string, unknown, number, RegExp][] = [
    ['/v1/agents/nobody/messages', { text: 'x' }, 404, /no agent named nobody/],
    ['/v1/agents/a/messages', { text: '' }, 400, /empty/],
    ['/v1/agents/a/messages', { text: ' \n ' }, 400, /empty/],
    ['/v1/agents/a/messages', { text: 'x'.repeat(1024 * 1024) }, 413, /1048576 bytes/],
    ['/v1/agents/a/messages', { text: 'x'.repeat(4 * 1024 * 1024) }, 413, /request is over/],
    ['/v1/agents/a/messages', '{"text":', 400, /not a JSON object/],
    ['/v1/agents/a/messages', {}, 400, /text is missing/],
    ['/v1/agents', { name: 'A b', provider: 'mock' }, 400, /name/],
    ['/v1/agents', { name: 'a', provider: 'mock', sandbox: 'process' }, 409, /already/],
    ['/v1/agents', { name: 'c', provider: 'none' }, 400, /no provider/],
    ['/v1/agents', { name: 'c', provider: 'direct' }, 400, /model/],
    ['/v1/agents', { name: 'c', provider: 'direct', model: 'm', baseUrl: 'ftp://x' }, 400, /base URL/],
  ];
  for (const [path, body, status, error] of cases) {
    const answer = await world.call<ApiError>('POST', path, body);
    assert.equal(answer.status, status, `${path} ${JSON.stringify(answer.body)}`);
    assert.match(answer.body.error, error);
    assert.ok(answer.body.next.length > 0);
  }
  assert.equal((await world.call('GET', '/v1/messages/nothing')).status, 404);
  assert.equal(await world.reply('a', '@reply alive'), 'alive');
});

test('text that looks like structure or drives terminals comes back as it was', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const tags = '</message><message to="x"></internal>';
  assert.equal(await world.reply('a', `@reply ${tags}`), `\`\`\`\`\n${tags}\n\`\`\`\``);
  for (const text of ['&lt;b&gt; &amp;amp;', 'a"b\'c `d`', '63 KiB '.repeat(9200)]) {
    assert.equal(await world.reply('a', `@reply ${text}`), text.trim());
  }
  const control = '\u0007bell \u001b[31mred \u202ebidi';
  const echoed = await world.reply('a', `@reply ${control}`);
  assert.match(echoed, /bell .*red .*bidi/);
});

test('three messages in a running turn are answered in order, and none twice', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const chat = world.chat('a');
  const ids = [await world.send('a', held('one'))];
  await chat.until((events) => events.find(isAtTool));
  for (const word of ['two', 'three']) ids.push(await world.send('a', `@reply ${word}`));
  letGo((await world.session('a')).folder);
  const views = await Promise.all(ids.map((id) => world.settled(id)));
  assert.deepEqual(
    views.map((it) => it.status),
    ['answered', 'answered', 'answered'],
  );
  await chat.until(() => (chat.texts.length >= 3 ? true : undefined));
  assert.deepEqual(chat.texts, ['one', 'two', 'three']);
  chat.close();
});

test('a burst of 50 is answered whole and in order', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const chat = world.chat('a');
  await world.reply('a', '@reply warm');
  const numbers = Array.from({ length: 50 }, (_, n) => `n${n}`);
  const ids: string[] = [];
  for (const n of numbers) ids.push(await world.send('a', `@reply ${n}`));
  for (const id of ids) assert.equal((await world.settled(id)).status, 'answered');
  await chat.until(() => (chat.texts.length >= 51 ? true : undefined));
  assert.deepEqual(chat.texts.slice(1), numbers);
  chat.close();
});

test('what was said while nobody was connected waits, in order; unconfirmed, it comes again and says so', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  await world.reply('a', '@reply first');
  await world.reply('a', '@reply second');
  const careless = world.chat('a');
  careless.confirms = false;
  await careless.until(() => (careless.texts.length > 0 ? true : undefined));
  assert.deepEqual(careless.texts, ['first']);
  careless.close();
  const careful = world.chat('a');
  await careful.until(() => (careful.texts.length >= 2 ? true : undefined));
  const shown = careful.events.flatMap((it) =>
    it.type === 'message' ? [{ text: it.text, again: it.mayBeDuplicate }] : [],
  );
  assert.deepEqual(shown, [
    { text: 'first', again: true },
    { text: 'second', again: false },
  ]);
  careful.close();
});

test('a client that goes away while it waits loses nothing', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const id = await world.send('a', '@sleep 100\n@reply late');
  const waiting = world.chat('a');
  waiting.close();
  assert.equal((await world.settled(id)).replies[0]?.text, 'late');
});

test('failures of the provider reach the person with the next step', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const cases: [string, RegExp][] = [
    ['@fail auth bad key', /bad key/],
    ['@fail fatal broken', /failed: broken/],
  ];
  for (const [text, error] of cases) {
    const view = await world.ask('a', text);
    assert.equal(view.status, 'failed');
    assert.match(view.error ?? '', error);
    assert.ok((view.next ?? '').length > 0);
    assert.match(view.notices[0]?.text ?? '', error);
  }
  const passing = await world.ask('a', '@fail transient*3 busy\n@reply then');
  assert.deepEqual([passing.replies[0]?.text, passing.notices], ['then', []]);
  const silent = await world.ask('a', '@silent');
  assert.equal(silent.status, 'no-reply');
  assert.equal(silent.notices.length, 1);
});

test('commands are answered by the host', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  assert.match(await world.reply('a', '/help'), /\/stop/);
  assert.match(await world.reply('a', '/status'), /a \(mock, process\): asleep; 0 messages open/);
  assert.equal(await world.reply('a', '/stop'), 'Nothing is running.');
  assert.equal(await world.reply('a', '/helpx'), '/helpx');
});

test('/stop ends what runs and what waits, in mid-tool', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const chat = world.chat('a');
  const long = await world.send('a', '@shell sleep 60');
  await chat.until((events) => events.find((it) => it.type === 'progress' && it.state === 'tool'));
  const behind = await world.send('a', '@reply behind');
  assert.equal(await world.reply('a', '/stop'), 'Stopped.');
  for (const id of [long, behind]) assert.match((await world.settled(id)).error ?? '', /stopped/);
  assert.equal(await world.reply('a', '@reply after'), 'after');
  chat.close();
});

test('/new begins a new conversation with an empty folder; the old folder goes', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  await world.reply('a', '@shell echo kept > note; cat note');
  const before = await world.session('a');
  assert.match(await world.reply('a', '/new'), /new conversation/);
  assert.match(await world.reply('a', '@shell cat note'), /No such file/);
  const after = await world.session('a');
  assert.notEqual(after.id, before.id);
  assert.throws(() => readFileSync(join(before.folder, 'in', 'inbound.db')), /ENOENT/);
});

test('the mock speaks through its tool, and an unknown destination is refused', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const view = await world.ask('a', '@tool send_message {"to":"terminal","text":"by tool"}');
  assert.deepEqual(
    view.replies.map((it) => it.text.replace(/#\d+/, '#n')),
    ['by tool', 'sent as #n'],
  );
  assert.match(
    await world.reply('a', '@tool send_message {"to":"nowhere","text":"x"}'),
    /no destination named "nowhere"/,
  );
  const unaddressed: MessageView = await world.ask('a', '@to nowhere lost words');
  assert.equal(unaddressed.status, 'no-reply');
});
