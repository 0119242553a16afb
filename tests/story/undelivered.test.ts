// needs: userns
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeadView } from '../../host/api/operator-contract.ts';
import { newestMessage, openModelEndpoint } from '../fakes/model-endpoint.ts';
import { Receiver } from '../fakes/receiver.ts';
import { openWorld } from '../world/host.ts';
import { addProgram, freePort } from '../world/program.ts';

test('a reply that its destination refuses: the person reads one sentence, the model reads why, a replay brings it', async (t) => {
  const receiver = await Receiver.open();
  t.after(() => receiver.close());
  const endpoint = await openModelEndpoint('anthropic', [
    { text: '<message to="ops">the report</message><message to="terminal">sent it</message>' },
    { text: '<message to="terminal">it did not arrive</message>' },
  ]);
  t.after(() => endpoint.close());
  const world = await openWorld(t, { ANTHROPIC_API_KEY: 'key-a' });
  const { baseUrl } = endpoint;
  const model = {
    provider: 'direct',
    model: 'some-model',
    baseUrl,
    api: 'anthropic',
    key: 'ANTHROPIC_API_KEY',
  } as const;
  await world.createAgent({ name: 'a', ...model, sandbox: 'bubblewrap' });
  const { signing } = await addProgram(world, {
    chat: 'ops',
    agent: 'a',
    port: await freePort(),
    callback: receiver.url('ops'),
  });
  await receiver.tell({ do: 'know', name: 'ops', secret: signing });
  await receiver.tell({ do: 'script', name: 'ops', behaviours: [{ do: 'answer', status: 400 }] });
  const chat = world.chat('a');
  t.after(() => chat.close());
  await world.ask('a', 'send the report to ops');
  await chat.until(() => (chat.texts.length >= 2 ? true : undefined));
  const [notice, ...more] = chat.events.flatMap((it) => (it.type === 'message' && it.notice ? [it.text] : []));
  assert.match(
    notice ?? '',
    /^What was said to ops could not be delivered: its receiver at 127\.0\.0\.1:\d+ answered 400\. Look there, then ask for it again\.$/,
  );
  assert.deepEqual(more, []);
  assert.equal(await world.reply('a', 'did it arrive?'), 'it did not arrive');
  const told = newestMessage(endpoint, 1);
  assert.match(told, /<notice [^>]*>Your message #\d+ to ops was not delivered and is given up: its receiver at/);
  assert.match(told, /answered 400\./);
  assert.match(told, /did it arrive\?/);
  const [letter] = (await world.call<DeadView[]>('GET', '/v1/dead')).body;
  await world.call('POST', `/v1/dead/${letter?.id}/replay`);
  await receiver.until(({ got }) => got.length >= 2);
  assert.deepEqual(receiver.shown('ops'), ['the report']);
  assert.ok(receiver.got.every((got) => got.signed));
});
