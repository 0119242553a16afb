import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { ErrorAnswer } from '../../host/channels/http/types.ts';
import { openWorld, type World } from '../world/host.ts';
import { addProgram, freePort, type Events, type Program } from '../world/program.ts';

async function stage(t: TestContext): Promise<{ world: World; program: Program }> {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  return { world, program: await addProgram(world, { chat: 'ops', agent: 'a', port: await freePort() }) };
}

function opened(t: TestContext, program: Program, after: number | null = null): Events {
  const events = program.events(after);
  t.after(() => events.close());
  return events;
}

/** Says each and waits until the agent has answered. */
async function answered(program: Program, texts: readonly string[]): Promise<void> {
  for (const text of texts) await program.settled(await program.say(`@reply ${text}`));
}

const positions = (events: Events): number[] => events.said.map((it) => it.position);

test('with nobody there replies wait, in order; whoever comes gets what waits and what comes', async (t) => {
  const { world, program } = await stage(t);
  await answered(program, ['one', 'two']);
  assert.equal((await world.status()).open.deliveries, 2);
  await world.restart('SIGTERM');
  const events = opened(t, program);
  await events.until(({ said }) => said.length === 2);
  await answered(program, ['three']);
  await events.until(({ said }) => said.length === 3);
  assert.deepEqual(events.texts, ['one', 'two', 'three']);
  assert.deepEqual(
    positions(events),
    positions(events).toSorted((a, b) => a - b),
  );
});

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(`a client that comes back with its cursor after a ${signal} of the host has each once`, async (t) => {
    const { world, program } = await stage(t);
    const all: string[] = [];
    let cursor = 0;
    for (const round of [1, 2, 3]) {
      const events = opened(t, program, cursor);
      await answered(program, [`${round}a`, `${round}b`]);
      // Cut off in the middle: what was not read is read the next time.
      await events.until(({ said }) => said.length >= 1);
      const read = events.said.slice(0, round === 2 ? undefined : 1);
      all.push(...read.map((it) => it.text));
      cursor = read.at(-1)?.position ?? cursor;
      await world.restart(signal);
      events.close();
    }
    const rest = opened(t, program, cursor);
    await answered(program, ['last']);
    await rest.until(({ texts }) => texts.includes('last'));
    all.push(...rest.texts);
    assert.deepEqual(all, ['1a', '1b', '2a', '2b', '3a', '3b', 'last']);
  });
}

test('several clients each get all; one that comes late reads the history first, page by page', async (t) => {
  const { program } = await stage(t);
  const early = opened(t, program);
  await early.opened;
  const texts = Array.from({ length: 60 }, (_, n) => `n${n}`);
  const lines = texts.map((text) => `@reply ${text}`);
  for (const line of lines) await program.say(line);
  const late = opened(t, program, 0);
  await early.until(({ said }) => said.length === texts.length);
  await late.until(({ said }) => said.length === texts.length);
  const again = opened(t, program, positions(early)[49] ?? 0);
  await again.until(({ said }) => said.length === 10);
  assert.deepEqual([early.texts, late.texts, again.texts], [texts, texts, texts.slice(50)]);
  assert.deepEqual(positions(late), positions(early));
  const query = await program.ask<ErrorAnswer>('GET', '/v1/chats/ops/events?after=x', {});
  assert.equal(query.status, 400);
});

/** More than the system keeps for a socket on both sides, on most machines. */
const UNREAD_MESSAGES = 256;
const AT_ONCE = 32;
const LONG = '@reply '.padEnd(60_000, 'x');

test('what the agent sends as a file stands beside the text, live and in history alike', async (t) => {
  const { program } = await stage(t);
  const live = opened(t, program);
  await live.opened;
  await program.say('@shell echo x > report.txt\n@tool send_file {"to":"ops","path":"report.txt","caption":"see"}');
  await live.until(({ said }) => said.some(({ text, files }) => text === 'see' && files[0]?.name === 'report.txt'));
  await answered(program, ['end']);
  await live.until(({ texts }) => texts.includes('end'));
  const late = opened(t, program, 0);
  await late.until(({ said }) => said.length === live.said.length);
  assert.deepEqual(late.said, live.said);
});

test('a client that does not read is cut off, nobody waits for it, and its cursor brings the rest', async (t) => {
  const { program } = await stage(t);
  const [slow, quick] = [opened(t, program), opened(t, program)];
  const answer = await slow.opened;
  await quick.opened;
  // Where the system keeps more, it is given more.
  for (let most = UNREAD_MESSAGES; !slow.over && most <= 4 * UNREAD_MESSAGES; most *= 2) {
    answer.pause();
    for (let sent = quick.said.length; sent < most; sent += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, () => program.say(LONG)));
      await quick.until(({ said }) => said.length >= sent + AT_ONCE);
    }
    answer.resume();
    await slow.until(({ over, said }) => over || said.length === quick.said.length);
  }
  assert.ok(slow.over && slow.said.length < quick.said.length);
  const back = opened(t, program, positions(slow).at(-1) ?? 0);
  await back.until(({ said }) => said.length + slow.said.length >= quick.said.length);
  assert.deepEqual([...positions(slow), ...positions(back)], positions(quick));
});

test('progress is told while the agent works, only to its own chat, and never in the way of a message', async (t) => {
  const { world, program } = await stage(t);
  const other = await addProgram(world, { chat: 'other', agent: 'a' });
  const [events, elsewhere] = [opened(t, program), opened(t, other)];
  await Promise.all([events.opened, elsewhere.opened]);
  await program.say('@shell echo done');
  await events.until(({ said, states }) => said.length === 1 && states.includes('tool'));
  assert.equal(events.states[0], 'starting');
  assert.deepEqual([elsewhere.states, elsewhere.said], [[], []]);
});

test('a new token cuts off who came with the old one', async (t) => {
  const { world, program } = await stage(t);
  const events = opened(t, program);
  await events.opened;
  const { body } = await world.call<{ chat: { token: string } }>('POST', '/v1/channels/http', {
    chat: 'ops',
    rotate: true,
  });
  await events.until(({ over }) => over);
  assert.equal((await program.post('k', { sender: 'ada', text: 'x' })).status, 401);
  program.token = body.chat.token;
  const again = opened(t, program);
  await answered(program, ['here']);
  await again.until(({ said }) => said.length === 1);
});

test('clients that are gone before they are answered leave nothing behind', async (t) => {
  const { program } = await stage(t);
  const { port } = new URL(program.base);
  for (let n = 0; n < 100; n++) {
    const socket = connect(Number(port), '127.0.0.1').on('error', () => undefined);
    const head = `GET /v1/chats/ops/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${program.token}\r\n\r\n`;
    await new Promise<void>((resolve) => socket.write(head, () => resolve()));
    socket.destroy();
  }
  await answered(program, ['waits']);
  const events = opened(t, program, 0);
  assert.equal((await events.opened).statusCode, 200);
  await events.until(({ said }) => said.length === 1);
  assert.equal(events.said[0]?.text, 'waits');
});

test('at most 16 read one chat at once', async (t) => {
  const { program } = await stage(t);
  const open = Array.from({ length: 16 }, () => opened(t, program));
  for (const events of open) await events.opened;
  const { status, headers } = await program.ask<ErrorAnswer>('GET', '/v1/chats/ops/events', {});
  assert.deepEqual([status, headers['retry-after']], [429, '1']);
});
