/** What somebody in Telegram sees while they wait, by the style of their chat. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WiringPatch, WiringView } from '../../host/api/channel-contract.ts';
import type { ApiError } from '../../host/api/contract.ts';
import { ANN, pairedWorld, type TelegramWorld } from '../world/telegram.ts';

const LONG = Array.from({ length: 60 }, (_, n) => `word${n}`).join(' ');
/** It takes a second and a half to write, and then a moment to be done. */
const SLOWLY = `@slow 2500 ${LONG}`;

async function style(world: TelegramWorld, progress: WiringPatch['progress']): Promise<WiringView> {
  const patch: WiringPatch = { agent: 'a', channel: 'telegram', chat: String(ANN.id), progress };
  const { status, body } = await world.call<WiringView>('PATCH', '/v1/wirings', patch);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

const asked = (world: TelegramWorld, method: string): number =>
  world.telegram.asked.filter((it) => it.method === method).length;

test('a stream: the text as it grows, marked as unfinished, and in the end the whole of it once', async (t) => {
  const { world, telegram, ann } = await pairedWorld(t);
  assert.equal((await style(world, null)).shown, 'stream');
  telegram.write(ann, SLOWLY);
  const first = await telegram.until(() => telegram.textsTo(ann.id)[0]);
  assert.ok(first.endsWith(' …') && LONG.startsWith(first.slice(0, -2)), first);
  await telegram.until(() => asked(world, 'editMessageText') > 0);
  await telegram.until(() => telegram.textsTo(ann.id).join('') === LONG);
  await world.delivered();
  assert.deepEqual(telegram.textsTo(ann.id), [LONG]);
  assert.ok(asked(world, 'sendChatAction') > 0);
});

test('steps say what is done, and are gone when it is', async (t) => {
  const { world, telegram, ann } = await pairedWorld(t);
  await style(world, 'steps');
  telegram.write(ann, '@slow 1500 done at last');
  await telegram.until(() => telegram.textsTo(ann.id).some((it) => it.endsWith(' …')));
  await telegram.until(() => telegram.textsTo(ann.id).join() === 'done at last');
});

test('off is silence, and typing ends with the answer', async (t) => {
  const { world, telegram, ann } = await pairedWorld(t);
  await style(world, 'off');
  telegram.write(ann, '@slow 300 one');
  await telegram.until(() => telegram.textsTo(ann.id).length === 1);
  assert.equal(asked(world, 'sendChatAction'), 0);
  await style(world, 'typing');
  telegram.write(ann, '@slow 300 two');
  await telegram.until(() => asked(world, 'sendChatAction') > 0);
  await telegram.until(() => telegram.textsTo(ann.id).length === 2);
  assert.equal(asked(world, 'editMessageText'), 0);
});

test('what a killed host left half written is taken away by the next', async (t) => {
  const { world, telegram, ann } = await pairedWorld(t);
  await style(world, 'stream');
  telegram.write(ann, SLOWLY);
  await telegram.until(() => asked(world, 'editMessageText') > 0);
  await world.restart('SIGKILL');
  await telegram.until(() => telegram.textsTo(ann.id).join('') === LONG);
});

test('the list shows what each chat sees; a style that is none, and a chat that is none, are refused', async (t) => {
  const { world } = await pairedWorld(t);
  const [wiring, ...more] = (await world.call<WiringView[]>('GET', '/v1/wirings')).body;
  assert.deepEqual(more, []);
  const place = { agent: 'a', channel: 'telegram', chat: String(ANN.id), kind: 'dm', title: wiring?.title };
  assert.deepEqual(wiring, { ...place, progress: 'typing', shown: 'typing' });
  const patch = { agent: 'a', channel: 'telegram', chat: String(ANN.id) };
  const wrong = await world.call<ApiError>('PATCH', '/v1/wirings', { ...patch, progress: 'loud' });
  assert.equal(wrong.status, 400);
  assert.match(wrong.body.next, /off, typing, steps, stream/);
  const nowhere = await world.call<ApiError>('PATCH', '/v1/wirings', { ...patch, chat: '5', progress: 'off' });
  assert.equal(nowhere.status, 404);
});
