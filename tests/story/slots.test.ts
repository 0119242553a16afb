import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openWorld } from '../world/host.ts';

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

test('50 concurrent messages to a sleeping session start one run', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const ids = await Promise.all(Array.from({ length: 50 }, (_, n) => world.send('a', `@reply n${n}`)));
  for (const id of ids) assert.equal((await world.settled(id)).status, 'answered');
  assert.equal((await world.session('a')).run, 1);
});
