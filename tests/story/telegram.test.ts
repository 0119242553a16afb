import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { ApiError, SecretView } from '../../host/api/contract.ts';
import type { DeadView, TraceView } from '../../host/api/operator-contract.ts';
import { TOKEN } from '../fakes/telegram.ts';
import { ANN, pairedWorld, type TelegramWorld } from '../world/telegram.ts';
import { killOne } from '../world/kill.ts';

const EVE = { id: 666, name: 'Eve' };

function rows(world: TelegramWorld, query: string): Record<string, unknown>[] {
  const central = new DatabaseSync(join(world.home, 'central.db'), { readOnly: true });
  try {
    return central.prepare(query).all();
  } finally {
    central.close();
  }
}

test('the code from the terminal makes its sender an owner; every other sender is counted and hears nothing', async (t) => {
  const { world, telegram, pairing } = await pairedWorld(t, { paired: false });
  telegram.write(EVE, 'hello?');
  telegram.write(EVE, '/start');
  telegram.write(ANN, `/start ${pairing.code}`);
  assert.deepEqual(await world.paired(pairing), { state: 'used', by: 'telegram:17', name: 'Ann' });
  assert.match((await world.texts(1))[0] ?? '', /^You are paired as an owner\. Here you talk to a: write to me\./);
  telegram.write(ANN, '@reply hello Ann');
  assert.equal((await world.texts(2))[1], 'hello Ann');
  assert.deepEqual(telegram.textsTo(EVE.id), []);
  const [view] = (await world.status()).channels;
  const { people, messages } = view?.strangers ?? {};
  assert.deepEqual([view?.name, view?.state, people, messages], ['telegram', 'connected', 1, 2]);
  const agent = await world.call<{ destinations: string[] }>('GET', '/v1/agents/a');
  assert.deepEqual(agent.body.destinations, ['telegram', 'terminal']);
});

test('a code is good once, in private, in time, and only the newest; ten wrong ones and nobody listens', async (t) => {
  const { world, telegram, pairing } = await pairedWorld(t, { paired: false });
  const newer = await world.pairing();
  assert.notEqual(newer.code, pairing.code);
  telegram.write(EVE, pairing.code);
  const group = { id: -5, type: 'group', title: 'all' };
  telegram.write(EVE, newer.code, { chat: group });
  for (let n = 0; n < 10; n++) telegram.write(EVE, 'AAAA-AAAA-AAAA-AAAA-AAAA-AAAA');
  telegram.write(EVE, newer.code);
  telegram.write(ANN, newer.code.toLowerCase().replaceAll('-', ' '));
  assert.equal((await world.paired(newer)).by, 'telegram:17');
  telegram.write({ id: 18, name: 'Bob' }, newer.code);
  telegram.write(ANN, '@reply still me');
  assert.equal((await world.texts(2))[1], 'still me');
  assert.deepEqual([telegram.textsTo(EVE.id), telegram.textsTo(18)], [[], []]);
  assert.equal((await world.call('GET', `/v1/channels/telegram/pairings/${pairing.id}`)).status, 404);
});

test('paired, then a restart: it goes on', async (t) => {
  const { world, telegram } = await pairedWorld(t);
  await world.restart('SIGTERM');
  telegram.write(ANN, '@reply after');
  assert.deepEqual(await world.texts(1), ['after']);
});

test('killed when an update has come and nothing is written: it comes again and is one message', async (t) => {
  const { world, telegram } = await pairedWorld(t);
  await telegram.until(() => telegram.polling);
  killOne(world.pid, 'SIGSTOP');
  telegram.write(ANN, '@reply once');
  await world.restart('SIGKILL');
  assert.deepEqual(await world.texts(1), ['once']);
  telegram.write(ANN, '@reply fence');
  assert.deepEqual(await world.texts(2), ['once', 'fence']);
});

test('killed after the commit, before Telegram knows: it comes again and is the same message', async (t) => {
  const { world, telegram } = await pairedWorld(t);
  await telegram.until(() => telegram.polling);
  telegram.deaf = true; // whatever is confirmed from here on is not heard
  telegram.write(ANN, '@reply once');
  assert.deepEqual(await world.texts(1), ['once']);
  assert.equal(telegram.unconfirmed, 1);
  await world.delivered();
  await world.end('SIGKILL');
  telegram.deaf = false;
  await world.start();
  await telegram.until(() => telegram.unconfirmed === 0);
  telegram.write(ANN, '@reply fence');
  assert.deepEqual(await world.texts(2), ['once', 'fence']);
});

test('a pairing code that comes again after a crash is not shown to the agent', async (t) => {
  const { world, telegram, pairing } = await pairedWorld(t, { paired: false });
  await telegram.until(() => telegram.polling);
  telegram.deaf = true;
  telegram.write(ANN, pairing.code);
  await world.texts(1);
  await world.delivered();
  await world.end('SIGKILL');
  telegram.deaf = false;
  await world.start();
  telegram.write(ANN, '@reply fence');
  assert.equal((await world.texts(2)).at(-1), 'fence');
  assert.equal(rows(world, 'select id from dispatches').length, 1, 'the agent was given the last message alone');
});

test('a long reply comes in parts; where Telegram asks for a pause in the middle, no part comes twice', async (t) => {
  const { world, telegram } = await pairedWorld(t);
  const words = Array.from({ length: 1200 }, (_, n) => `word${n}`).join(' ');
  const slow = { code: 429, description: 'Too Many Requests: retry after 1', parameters: { retry_after: 1 } };
  telegram.fail('sendMessage', slow, 1);
  telegram.write(ANN, `@reply ${words}`); // more than a person could write at once: it is said as it came
  telegram.write(ANN, '@reply fence');
  const parts = await world.texts(4);
  assert.equal(parts.slice(0, 3).join(' '), words);
  assert.equal(parts[3], 'fence');
  assert.ok(parts.every((it) => it.length <= 4096));
  assert.equal(telegram.asked.filter((it) => it.method === 'sendMessage').length, 1 + 4 + 1); // paired, four, one refused
});

test('what is said in a topic is answered there; in one that is gone, in the chat', async (t) => {
  const { world, telegram } = await pairedWorld(t);
  telegram.chats.get('17')?.add(5);
  telegram.write(ANN, '@reply here', { is_topic_message: true, message_thread_id: 5 });
  await world.texts(1);
  telegram.write(ANN, '@reply a reply is no topic', { message_thread_id: 99 });
  await world.texts(2);
  telegram.chats.get('17')?.delete(5);
  telegram.write(ANN, '@reply all the same', { is_topic_message: true, message_thread_id: 5 });
  await world.texts(3);
  assert.deepEqual(
    telegram.said.map((it) => [it.text, it.thread]),
    [
      ['here', 5],
      ['a reply is no topic', null],
      ['all the same', null],
    ],
  );
});

test('edits, clicks and reactions are acknowledged, and nobody hears of them', async (t) => {
  const { world, telegram } = await pairedWorld(t);
  const from = { id: 17, is_bot: false, first_name: 'Ann' };
  const chat = { id: 17, type: 'private' };
  telegram.update({ edited_message: { message_id: 1, from, chat, text: '@reply no' } });
  telegram.update({ callback_query: { id: 'c1', from, data: 'x' } });
  telegram.update({ message_reaction: { chat, message_id: 1, user: from, new_reaction: [] } });
  telegram.update({ channel_post: { message_id: 2, chat: { id: -1, type: 'channel' }, text: '@reply no' } });
  telegram.write(ANN, '@reply no', { from: { ...from, is_bot: true } });
  telegram.write(ANN, '/help@SomebodyElsesBot');
  telegram.write(ANN, '/help@helpertestbot');
  assert.match((await world.texts(1))[0] ?? '', /^\/help +this list/);
  telegram.write(ANN, '@reply fence');
  assert.equal((await world.texts(2))[1], 'fence');
  assert.ok(
    telegram.asked.some(({ method, params }) => method === 'answerCallbackQuery' && params.callback_query_id === 'c1'),
  );
});

test('a person who has blocked the bot: the reply is a dead letter that says so', async (t) => {
  const { world, telegram } = await pairedWorld(t);
  telegram.blocked.add('17');
  telegram.write(ANN, '@reply nobody reads this');
  await telegram.until(() => telegram.asked.filter((it) => it.method === 'sendMessage').length === 2);
  telegram.blocked.clear();
  telegram.write(ANN, '@reply fence');
  assert.deepEqual(await world.texts(1), ['fence']);
  const { body } = await world.call<DeadView[]>('GET', '/v1/dead');
  assert.match(body[0]?.error ?? '', /the person has blocked the bot in Telegram/);
  assert.equal((await world.call('POST', `/v1/dead/${body[0]?.id}/replay`)).status, 200);
  assert.match((await world.texts(2))[1] ?? '', /^nobody reads this/);
});

test('a token that Telegram does not take, or a bot in use elsewhere, is refused before anything is kept', async (t) => {
  const { world, telegram } = await pairedWorld(t);
  const add = (more: object) =>
    world.call<ApiError>('POST', '/v1/channels/telegram', {
      agent: 'a',
      token: TOKEN,
      baseUrl: telegram.baseUrl,
      name: 'two',
      ...more,
    });
  const wrong = await add({ token: '4242:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' });
  assert.deepEqual([wrong.status, wrong.body.error], [400, 'Telegram does not take the token of this bot']);
  assert.match((await add({ token: 'nonsense' })).body.next, /@BotFather/);
  assert.equal((await add({ name: 'telegram' })).status, 409);
  assert.equal((await add({ agent: 'nobody' })).status, 404);
  assert.equal((await add({ baseUrl: 'http://example.com' })).status, 400);
  assert.equal((await add({ webhook: 'http://example.com' })).status, 400);
  telegram.webhook = { url: 'https://elsewhere.example/hook', secret: '' };
  const hooked = await add({});
  assert.deepEqual([hooked.status, hooked.body.error], [409, 'this bot sends its updates to elsewhere.example']);
  assert.match(hooked.body.next, /--drop-webhook/);
  assert.ok(telegram.webhook);
  const kept = (await world.call<SecretView[]>('GET', '/v1/secrets')).body.map((it) => it.name);
  assert.deepEqual(kept, ['TELEGRAM_TOKEN']);
  assert.ok(!world.log.includes(TOKEN));
});

test('a token that is taken back parks what waits; a new one sends it', async (t) => {
  const { world, telegram } = await pairedWorld(t);
  telegram.write(ANN, '@sleep 300\n@reply late');
  await telegram.until(() => telegram.unconfirmed === 0);
  telegram.token = '4242:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB';
  await world.logged('Telegram does not take the token of this bot');
  const [view] = (await world.status()).channels;
  assert.equal(view?.state, 'broken');
  assert.match(view?.lastError?.next ?? '', /secrets set TELEGRAM_TOKEN/);
  await world.call('PUT', '/v1/secrets/TELEGRAM_TOKEN', { value: telegram.token });
  assert.deepEqual(await world.texts(1), ['late']);
  assert.equal((await world.status()).open.dead, 0);
});

test('two programs that poll one bot: the channel says so, and goes on when the other is gone', async (t) => {
  const { world, telegram } = await pairedWorld(t);
  telegram.rival = true;
  telegram.write(ANN, '@reply one');
  await world.logged('another program asks for the updates of this bot');
  assert.equal((await world.status()).channels[0]?.state, 'broken');
  telegram.rival = false;
  telegram.write(ANN, '@reply two');
  assert.deepEqual((await world.texts(2)).toSorted(), ['one', 'two']);
});

test('removing it ends it and what was kept for it; added again, its chats go on', async (t) => {
  const { world, telegram } = await pairedWorld(t);
  assert.equal((await world.call('DELETE', '/v1/channels/telegram')).status, 200);
  assert.deepEqual((await world.call<SecretView[]>('GET', '/v1/secrets')).body, []);
  telegram.write(ANN, '@reply again');
  await world.add();
  assert.deepEqual(await world.texts(1), ['again']);
});

test('why a pairing code got no answer from the agent stands in its trace', async (t) => {
  const { world, telegram, pairing } = await pairedWorld(t, { paired: false });
  telegram.write(ANN, pairing.code);
  await world.texts(1);
  const [event] = rows(world, "select id from events where channel = 'telegram'");
  const { body } = await world.call<TraceView>('GET', `/v1/trace/${String(event?.id)}`);
  assert.equal(body.now.standing, 'obeyed');
  assert.ok(!JSON.stringify(body).includes(pairing.code));
});

test('a file that a person sends is there for the agent, and one that it sends is there for the person', async (t) => {
  const { world, telegram } = await pairedWorld(t);
  telegram.files.set('f1', Buffer.from('what it says'));
  const document = { file_id: 'f1', file_name: 'note.txt', mime_type: 'text/plain' };
  telegram.write(ANN, '', { text: undefined, caption: '@attached', document });
  assert.deepEqual(await world.texts(1), ['what it says']);
  telegram.write(
    ANN,
    '@shell printf 12345 > report.txt\n@tool send_file {"to":"telegram","path":"report.txt","caption":"here"}',
  );
  const sent = await telegram.until(() => telegram.said.find((it) => it.file !== null));
  assert.deepEqual([sent.chat, sent.file, sent.fileBytes], ['17', 'report.txt', 5]);
  assert.ok(telegram.textsTo(ANN.id).includes('here'));
});
