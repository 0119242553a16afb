import assert from 'node:assert/strict';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import type { ApiError } from '../../host/api/contract.ts';
import type { ResetView, SessionDetail, StopView, TailEvent } from '../../host/api/operator-contract.ts';
import { openWorld, type Chat, type World } from '../world/host.ts';
import { killOne } from '../world/kill.ts';

const detail = async (world: World, id: string): Promise<SessionDetail> =>
  (await world.call<SessionDetail>('GET', `/v1/sessions/${id}`)).body;
const stop = async (world: World, id: string): Promise<StopView> =>
  (await world.call<StopView>('POST', `/v1/sessions/${id}/stop`)).body;
const untilTool = (chat: Chat) =>
  chat.until((events) => events.find((it) => it.type === 'progress' && it.state === 'tool'));

test('one session: what is open, how its runs ended, how much room it takes', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  await world.reply('a', '@shell head -c 5000 /dev/zero > five; ln -s / out-of-here; echo made');
  const chat = world.chat('a');
  const id = await world.send('a', '@shell sleep 60');
  await untilTool(chat);
  const { id: session } = await world.session('a');
  const it = await detail(world, session.slice(0, 35));
  assert.equal(it.id, session);
  assert.deepEqual([it.state, it.open, it.openMessages.map((one) => one.message)], ['awake', 1, [id]]);
  assert.match(it.openMessages[0]?.text ?? '', /sleep 60/);
  assert.deepEqual(
    it.runs.map(({ run, ending }) => ({ run, ending })),
    [{ run: 1, ending: null }],
  );
  const { inbound, outbound, work, workFiles, whole } = it.sizes;
  assert.ok((inbound ?? 0) >= 4096 && (outbound ?? 0) >= 4096);
  assert.deepEqual([work, workFiles, whole], [5000, 1, true]);
  await stop(world, session);
  chat.close();
});

test('stop: what is open is taken back, its people are told, the run ends; the next message starts another', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const chat = world.chat('a');
  const ids = [await world.send('a', '@shell sleep 60')];
  await untilTool(chat);
  ids.push(await world.send('a', '@reply behind'));
  const { id: session } = await world.session('a');
  assert.deepEqual(await stop(world, session), { sessionId: session, takenBack: 2, done: true });
  for (const id of ids) assert.match((await world.settled(id)).error ?? '', /stopped/);
  await chat.until(() => (chat.texts.includes('Stopped.') ? true : undefined));
  const after = await detail(world, session);
  assert.deepEqual([after.state, after.open, after.runs[0]?.ending], ['asleep', 0, 'stopped']);
  assert.equal(await world.reply('a', '@reply again'), 'again');
  const again = await detail(world, session);
  assert.deepEqual([again.runs[0]?.run, again.state], [2, 'awake']);
  // With nothing open only the run ends, and nobody is told anything.
  assert.deepEqual(await stop(world, session), { sessionId: session, takenBack: 0, done: true });
  assert.equal((await detail(world, session)).state, 'asleep');
  assert.equal(chat.texts.filter((text) => text === 'Stopped.').length, 1);
  chat.close();
});

test('stop holds for a runner that does not obey: it is ended, and the next run takes the messages back', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const chat = world.chat('a');
  const id = await world.send('a', '@shell sleep 60');
  await untilTool(chat);
  const { id: session, pid } = await world.session('a');
  killOne(pid, 'SIGSTOP');
  assert.deepEqual(await stop(world, session), { sessionId: session, takenBack: 1, done: true });
  assert.match((await world.settled(id)).error ?? '', /stopped/);
  const { runs, state } = await detail(world, session);
  assert.deepEqual(
    runs.map((it) => it.ending),
    ['stopped', 'stopped'],
  );
  assert.equal(state, 'asleep');
  chat.close();
});

test('reset: the conversation ends, what was open is dropped, the next message begins a new one', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const chat = world.chat('a');
  const id = await world.send('a', '@shell sleep 60');
  await untilTool(chat);
  const { id: session } = await world.session('a');
  const { body } = await world.call<ResetView>('POST', `/v1/sessions/${session}/reset`);
  assert.deepEqual(body, { sessionId: session, dropped: 1 });
  assert.match((await world.settled(id)).error ?? '', /new conversation/);
  await chat.until(() => chat.texts.find((text) => text.startsWith('A new conversation begins.')));
  assert.equal(await world.reply('a', '@reply afresh'), 'afresh');
  assert.notEqual((await world.session('a')).id, session);
  for (const verb of ['stop', 'reset']) {
    const refused = await world.call<ApiError>('POST', `/v1/sessions/${session}/${verb}`);
    assert.equal(refused.status, 400);
    assert.match(refused.body.error, /ended at/);
  }
  const unknown = await world.call<ApiError>('POST', '/v1/sessions/0123/stop');
  assert.equal(unknown.status, 404);
  chat.close();
});

/** Lines of a tail as they come. */
function tail(world: World, id: string, follow: boolean) {
  const events: TailEvent[] = [];
  let wake = (): void => {};
  const ended = Promise.withResolvers<void>();
  const path = `/v1/sessions/${id}/tail${follow ? '?follow=1' : ''}`;
  const asked = request({ socketPath: world.socketPath, path }, (answer) => {
    answer.on('error', () => undefined);
    const lines = createInterface({ input: answer }).on('error', () => undefined);
    lines.on('line', (line) => {
      events.push(JSON.parse(line) as TailEvent);
      wake();
    });
    lines.on('close', () => ended.resolve());
  });
  asked.on('error', () => undefined);
  asked.end();
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise<void>((resolve) => (wake = resolve));
  };
  return { events, until, ended: ended.promise, close: () => asked.destroy() };
}

const shape = (it: TailEvent): string => {
  switch (it.type) {
    case 'in':
      return `in ${it.text}`;
    case 'out':
      return `out ${it.text}`;
    case 'settled':
    case 'delivered':
      return `${it.type} ${it.state}`;
    case 'run':
      return `run ${it.run} ${it.ending ?? 'began'}`;
    case 'progress':
      return `progress ${it.state}`;
  }
};

test('tail: what went in and out so far, and what comes while one looks on', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  await world.reply('a', '@reply one');
  const { id: session } = await world.session('a');
  const so = tail(world, session, false);
  await so.ended;
  assert.deepEqual(so.events.map(shape), ['in @reply one', 'run 1 began', 'out one', 'settled done']);
  const live = tail(world, session, true);
  await live.until(() => live.events.length >= 4);
  const chat = world.chat('a');
  await world.reply('a', '@reply two');
  await world.send('a', '@shell sleep 60');
  await live.until(() => live.events.some((it) => it.type === 'progress' && it.state === 'tool'));
  await stop(world, session);
  await live.until(() => live.events.some((it) => it.type === 'run' && it.ending === 'stopped'));
  const seen = live.events.slice(4).map(shape);
  for (const wanted of [
    'in @reply two',
    'progress tool',
    'settled done',
    'settled failed',
    'out two',
    'delivered delivered',
  ]) {
    assert.ok(seen.includes(wanted), `${wanted} is not in ${seen.join(', ')}`);
  }
  assert.equal(seen.filter((it) => it === 'out two').length, 1);
  live.close();
  chat.close();
});
