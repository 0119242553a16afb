/** A model whose quota is used up: the message waits for it, the person is told once, and nothing runs meanwhile. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { MessageView } from '../../host/api/contract.ts';
import type { TraceView } from '../../host/api/operator-contract.ts';
import { openModelEndpoint, type Answer, type Api } from '../fakes/model-endpoint.ts';
import { openSteered, openWorld, type Chat, type World } from '../world/host.ts';

const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString();
const HOUR_MS = 3_600_000;

const parked = (chat: Chat): Promise<true> =>
  chat.until((events) => (events.some((it) => it.type === 'progress' && it.state === 'parked') ? true : undefined));

const notices = (chat: Chat): string[] =>
  chat.events.flatMap((it) => (it.type === 'message' && it.notice ? [it.text] : []));

const view = async (world: World, id: string): Promise<MessageView> =>
  (await world.call<MessageView>('GET', `/v1/messages/${id}`)).body;

/** As if the clock had gone on: what waits in central of a host that is down is due at `at`. */
function setDue(world: World, at: string): void {
  const central = new DatabaseSync(join(world.home, 'central.db'), { timeout: 5_000 });
  central.prepare('update dispatches set due_at = ? where due_at is not null').run(at);
  central.close();
}

test('it waits until the quota resets: told once, no sandbox held, answered then, and so is what came behind it', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const chat = world.chat('a');
  const at = inMs(HOUR_MS);
  const first = await world.send('a', `@fail quota*1 at=${at} used up\n@reply one`);
  await parked(chat);
  const { state, pid } = await world.session('a');
  assert.deepEqual({ state, pid }, { state: 'asleep', pid: null });
  const second = await world.send('a', '@reply two');
  for (const id of [first, second]) assert.equal((await view(world, id)).status, 'accepted');
  await world.ask('a', '/status');
  await chat.until(() => notices(chat).find((text) => /waits for the model's quota until /.test(text)));
  assert.equal((await world.session('a')).run, 1);
  const { now, hops } = (await world.call<TraceView>('GET', `/v1/trace/${second}`)).body;
  assert.equal(now.standing, 'waiting');
  assert.match(now.text, /^It waits for the model's quota until .*: used up\.$/);
  assert.match(now.next ?? '', /\.\/halfdoor sessions stop /);
  assert.ok(hops.some((it) => it.what === 'parked'));
  await world.end('SIGKILL');
  setDue(world, inMs(1_500));
  chat.close();
  await world.start();
  const later = world.chat('a');
  for (const id of [first, second]) assert.equal((await world.settled(id)).status, 'answered');
  await later.until(() => (later.texts.includes('two') ? true : undefined));
  const told = [...new Set([...notices(chat), ...notices(later)])].filter((text) => text.includes('used up'));
  assert.equal(told.length, 1, told.join('\n'));
  assert.match(told[0] ?? '', /^The model's quota is used up until \d\d:\d\d.* \(.+\)\. Your message waits/);
  assert.deepEqual(
    later.texts.filter((text) => text === 'one' || text === 'two'),
    ['one', 'two'],
  );
  later.close();
});

test('a host that stays up wakes it too, at the time', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const at = inMs(2_000);
  const { status, replies } = await world.ask('a', `@fail quota*1 at=${at} used up\n@reply one`);
  assert.deepEqual([status, replies[0]?.text], ['answered', 'one']);
  assert.ok(Date.now() >= Date.parse(at));
});

test('/stop and /new take back what waits for a quota', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const chat = world.chat('a');
  const stopped = await world.send('a', `@fail quota at=${inMs(HOUR_MS)} used up`);
  await parked(chat);
  assert.equal(await world.reply('a', '/stop'), 'Stopped.');
  assert.match((await world.settled(stopped)).error ?? '', /stopped/);
  assert.equal(await world.reply('a', '@reply on'), 'on');
  const other = world.chat('a');
  const dropped = await world.send('a', `@fail quota at=${inMs(HOUR_MS)} used up`);
  await parked(other);
  await world.reply('a', '/new');
  assert.match((await world.settled(dropped)).error ?? '', /new conversation/);
  assert.equal(await world.reply('a', '@reply afresh'), 'afresh');
  for (const it of [chat, other]) it.close();
});

test('nobody says until when: it is tried again by and by, the person is told what to do; another model is tried at once', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const chat = world.chat('a');
  const id = await world.send('a', '@fail quota*1 no credit\n@reply one');
  await parked(chat);
  const text = await chat.until(() => notices(chat)[0]);
  assert.match(text, /^The model's quota is used up, and it does not say until when\./);
  assert.match(text, /\.\/halfdoor agents update a --model MODEL/);
  const { due_at: due } = dueOf(world);
  assert.ok(Date.parse(due) > Date.now() + 5 * 60_000, due);
  await world.call('PATCH', '/v1/agents/a', { instructions: 'another' });
  assert.equal((await world.settled(id)).replies[0]?.text, 'one');
  chat.close();
});

test('a time that nobody would wait for is cut to a day, and one that is past is not tried at once for ever', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const chat = world.chat('a');
  await world.send('a', '@fail quota at=9999-01-01T00:00:00.000Z used up');
  await parked(chat);
  const { due_at: due } = dueOf(world);
  assert.ok(Date.parse(due) < Date.now() + 25 * HOUR_MS, due);
  await world.reply('a', '/stop');
  const { replies } = await world.ask('a', '@fail quota*1 at=2001-01-01T00:00:00.000Z used up\n@reply one');
  assert.equal(replies[0]?.text, 'one');
  chat.close();
});

test('a time that turns out to be wrong is told once more, not each time', async (t) => {
  const world = await openSteered(t);
  await world.createAgent({ name: 'a' });
  const chat = world.chat('a');
  const id = await world.send('a', '@fail quota*5 at=2001-01-01T00:00:00.000Z used up\n@reply one');
  while ((await view(world, id)).status === 'accepted') {
    await world.steer('end-over 30000');
    await world.call('GET', `/v1/messages/${id}?wait=50`);
  }
  await chat.until(() => (chat.texts.includes('one') ? true : undefined));
  assert.equal((await world.session('a')).run, 6);
  assert.equal(notices(chat).length, 2, notices(chat).join('\n'));
  chat.close();
});

const USED_UP: { api: Api; status: number; body: object; headers: Record<string, string> }[] = [
  {
    api: 'anthropic',
    status: 429,
    body: { type: 'error', error: { type: 'rate_limit_error', message: 'org secret-org is over its limit' } },
    headers: { 'retry-after': '7200' },
  },
  {
    api: 'openai',
    status: 429,
    body: { error: { type: 'tokens', code: 'rate_limit_exceeded', message: 'org secret-org is over its limit' } },
    headers: { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '2h0m0s' },
  },
];
for (const { api, ...refusal } of USED_UP) {
  test(`${api}: an endpoint that refuses for two hours, as its headers say: the message waits for it`, async (t) => {
    const answers: Answer[] = [refusal, { text: '<message to="terminal">after all</message>' }];
    const endpoint = await openModelEndpoint(api, answers);
    t.after(() => endpoint.close());
    const world = await openWorld(t, { ANTHROPIC_API_KEY: 'key-a', OPENAI_API_KEY: 'key-o' });
    const { baseUrl } = endpoint;
    await world.createAgent({ name: 'a', provider: 'direct', model: 'm', baseUrl, api });
    const chat = world.chat('a');
    const id = await world.send('a', 'hello');
    await parked(chat);
    const left = Date.parse(dueOf(world).due_at) - Date.now();
    assert.ok(left > HOUR_MS && left <= 2 * HOUR_MS, `${left}`);
    const text = await chat.until(() => notices(chat)[0]);
    assert.match(text, /^The model's quota is used up until /);
    assert.ok(!text.includes('secret-org'));
    await world.end('SIGTERM');
    chat.close();
    setDue(world, inMs(0));
    await world.start();
    assert.equal((await world.settled(id)).replies[0]?.text, 'after all');
    assert.equal(endpoint.asked.length, 2);
  });
}

function dueOf(world: World): { due_at: string } {
  const central = new DatabaseSync(join(world.home, 'central.db'), { readOnly: true, timeout: 5_000 });
  const row = central.prepare('select due_at from dispatches where due_at is not null').get();
  central.close();
  return row as { due_at: string };
}
