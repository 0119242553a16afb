/** Somebody sets the host's clock, by hours: nothing is ended for it, nothing is forgotten by it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { held, letGo } from '../world/held.ts';
import { openSteered, type Chat } from '../world/host.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

const until = (chat: Chat, state: string): Promise<true> =>
  chat.until((events) => (events.some((it) => it.type === 'progress' && it.state === state) ? true : undefined));

for (const hours of [5, -5]) {
  test(`set by ${hours} hours: who works goes on working, who rests goes on resting`, async (t) => {
    const world = await openSteered(t);
    for (const name of ['busy', 'idle']) await world.createAgent({ name });
    await world.reply('idle', '@reply warm');
    const chat = world.chat('busy');
    const id = await world.send('busy', held('done'));
    await until(chat, 'tool');
    await world.steer(`set ${hours * HOUR_MS}`);
    for (const ms of [1_000, 5_000, 5_000]) await world.steer(`end ${ms}`);
    letGo((await world.session('busy')).folder);
    assert.equal((await world.settled(id)).status, 'answered');
    assert.equal(await world.reply('idle', '@reply here'), 'here');
    for (const name of ['busy', 'idle']) assert.equal((await world.session(name)).run, 1);
    chat.close();
  });
}

test('set ahead: what waits for a quota is due when the clock says so', async (t) => {
  const world = await openSteered(t);
  await world.createAgent({ name: 'a' });
  const chat = world.chat('a');
  const at = new Date(Date.now() + 3 * HOUR_MS).toISOString();
  const id = await world.send('a', `@fail quota*1 at=${at} used up\n@reply one`);
  await until(chat, 'parked');
  await world.steer(`set ${4 * HOUR_MS}`);
  await world.steer(`end ${MINUTE_MS}`);
  assert.equal((await world.settled(id)).replies[0]?.text, 'one');
  chat.close();
});

test('set back: what waits for a quota waits as long as it was to, and no longer', async (t) => {
  const world = await openSteered(t);
  await world.createAgent({ name: 'a' });
  const chat = world.chat('a');
  const at = new Date(Date.now() + 10 * MINUTE_MS).toISOString();
  const id = await world.send('a', `@fail quota*1 at=${at} used up\n@reply one`);
  await until(chat, 'parked');
  await world.steer(`set ${-4 * HOUR_MS}`);
  for (;;) {
    await world.steer(`end ${MINUTE_MS}`);
    const { body } = await world.call<{ status: string }>('GET', `/v1/messages/${id}?wait=50`);
    if (body.status === 'answered') break;
  }
  chat.close();
});
