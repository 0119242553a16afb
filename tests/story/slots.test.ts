import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openWorld, type Chat } from '../world/host.ts';

const NAMES = Array.from({ length: 9 }, (_, n) => `agent${n}`);

test('a ninth session takes the place of an idle one', async (t) => {
  const world = await openWorld(t);
  for (const name of NAMES) await world.createAgent({ name });
  for (const name of NAMES.slice(0, 8)) await world.reply(name, '@reply up');
  assert.equal((await world.status()).sessions.awake, 8);
  assert.equal(await world.reply('agent8', '@reply ninth'), 'ninth');
  assert.ok((await world.status()).sessions.awake <= 8);
  assert.equal(await world.reply('agent0', '@reply back'), 'back');
});

test('when all are busy the ninth waits for its place and is answered', async (t) => {
  const world = await openWorld(t);
  for (const name of NAMES) await world.createAgent({ name });
  const chats = NAMES.slice(0, 8).map((name) => world.chat(name));
  const busy = await Promise.all(NAMES.slice(0, 8).map((name) => world.send(name, '@shell sleep 60')));
  for (const chat of chats)
    await chat.until((events) => events.find((it) => it.type === 'progress' && it.state === 'tool'));
  const watcher = world.chat('agent8');
  const ninth = await world.send('agent8', '@reply ninth');
  await watcher.until((events) => events.find((it) => it.type === 'progress' && it.state === 'queued'));
  assert.equal((await world.session('agent8')).place, 1);
  assert.equal(await world.reply('agent0', '/stop'), 'Stopped.');
  assert.equal((await world.settled(ninth)).replies[0]?.text, 'ninth');
  for (const name of NAMES.slice(1, 8)) await world.reply(name, '/stop');
  for (const id of busy) assert.equal((await world.settled(id)).status, 'failed');
  for (const chat of [...chats, watcher]) chat.close();
});

test('who waits is told the place in the queue, and each time it moves', async (t) => {
  const world = await openWorld(t);
  const names = [...NAMES, 'agent9'];
  for (const name of names) await world.createAgent({ name });
  const chats = names.map((name) => world.chat(name));
  const places = (chat: Chat | undefined): string[] =>
    (chat?.events ?? []).flatMap((it) => (it.type === 'progress' && it.state === 'queued' ? [it.detail ?? ''] : []));
  const place = async (n: number, wanted: string): Promise<void> => {
    await chats[n]?.until(() => (places(chats[n]).at(-1) === wanted ? true : undefined));
  };
  for (const name of names.slice(0, 8)) await world.send(name, '@shell sleep 600');
  for (const chat of chats.slice(0, 8))
    await chat.until((events) => events.find((it) => it.type === 'progress' && it.state === 'tool'));
  await world.send('agent8', '@shell sleep 600');
  await place(8, '1 of 1');
  const last = await world.send('agent9', '@reply last');
  await place(9, '2 of 2');
  await place(8, '1 of 2');
  assert.match(
    await world.reply('agent9', '/status'),
    /waiting, number 2 of 2 in the queue for a sandbox; 1 message open/,
  );
  await world.reply('agent0', '/stop');
  await place(9, '1 of 1');
  await world.reply('agent1', '/stop');
  assert.equal((await world.settled(last)).replies[0]?.text, 'last');
  assert.deepEqual(places(chats[9]), ['2 of 2', '1 of 1']);
  for (const name of names.slice(2, 9)) await world.reply(name, '/stop');
  for (const chat of chats) chat.close();
});

test('50 concurrent messages to a sleeping session start one run', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const ids = await Promise.all(Array.from({ length: 50 }, (_, n) => world.send('a', `@reply n${n}`)));
  for (const id of ids) assert.equal((await world.settled(id)).status, 'answered');
  assert.equal((await world.session('a')).run, 1);
});
