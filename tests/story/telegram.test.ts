import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pairedWorld } from '../world/telegram.ts';

test('the code from the terminal makes its sender an owner; every other sender is counted and hears nothing', async (t) => {
  const { world, telegram, ann } = await pairedWorld(t, { paired: false });
  telegram.write({ id: 666, name: 'Eve' }, 'hello?');
  telegram.write({ id: 666, name: 'Eve' }, '/start');
  telegram.write(ann, `/start ${(await world.pairing()).code}`);
  const [first] = await telegram.until(() => telegram.textsTo(ann.id).length > 0 && telegram.textsTo(ann.id));
  assert.match(first ?? '', /^You are paired as an owner\. Here you talk to a: write to me\./);
  telegram.write(ann, '@reply hello Ann');
  await telegram.until(() => telegram.textsTo(ann.id).includes('hello Ann'));
  assert.deepEqual(telegram.textsTo(666), []);
  const [view] = (await world.status()).channels;
  assert.deepEqual(
    [view?.name, view?.state, view?.strangers?.people, view?.strangers?.messages],
    ['telegram', 'connected', 1, 2],
  );
  assert.deepEqual((await world.call<{ destinations: string[] }>('GET', '/v1/agents/a')).body.destinations, [
    'telegram',
    'terminal',
  ]);
});
