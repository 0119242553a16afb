import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { LIMITS } from '@halfdoor/protocol/limits';
import type { TraceView } from '../../host/api/operator-contract.ts';
import type { ErrorAnswer } from '../../host/channels/http/types.ts';
import { Receiver } from '../fakes/receiver.ts';
import { openWorld, type World } from '../world/host.ts';
import { addProgram, askHttp, freePort, type Program } from '../world/program.ts';

type Stage = { world: World; program: Program; port: number };

async function stage(t: TestContext): Promise<Stage> {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const port = await freePort();
  return { world, port, program: await addProgram(world, { chat: 'ops', agent: 'a', port }) };
}

const hello = { sender: 'ada', text: '@reply hello' };
const isAnswered = (it: { status: string }): boolean => it.status === 'answered';

test('a message is kept before it is answered with 202; its sender is a member, its reply is read', async (t) => {
  const { world, program } = await stage(t);
  const events = program.events();
  t.after(() => events.close());
  await events.opened;
  const id = await program.say('@reply hello');
  await events.until(({ said }) => said.length === 1);
  const view = await program.settled(id);
  assert.deepEqual([view.status, view.replies.map((it) => it.text)], ['answered', ['hello']]);
  const { delivery, position, seq, ...rest } = events.said[0] ?? {};
  assert.deepEqual([delivery, typeof position, typeof seq], [view.replies[0]?.delivery, 'number', 'number']);
  assert.deepEqual(rest, {
    chat: 'ops',
    thread: null,
    from: 'a',
    text: 'hello',
    notice: false,
    mayBeDuplicate: false,
    answers: [id],
    files: [],
  });
  const { hops } = (await world.call<TraceView>('GET', `/v1/trace/${id}`)).body;
  assert.match(hops[0]?.text ?? '', /http:ops\/ada.*member/);
});

test('the same key is one message, also after kill -9; with another content it is refused', async (t) => {
  const { world, program } = await stage(t);
  const first = await program.post('k1', hello);
  assert.deepEqual([first.status, first.body.repeated], [202, false]);
  const again = await program.post('k1', hello);
  assert.deepEqual([again.status, again.body], [202, { id: first.body.id, repeated: true }]);
  await world.restart('SIGKILL');
  assert.deepEqual((await program.post('k1', hello)).body, { id: first.body.id, repeated: true });
  for (const other of [
    { ...hello, text: '@reply other' },
    { ...hello, text: '/stop' },
    { ...hello, sender: 'bob' },
    { ...hello, thread: 't' },
  ]) {
    const { status, body } = await program.post('k1', other);
    assert.deepEqual([status, body.error], [409, 'another message came with this Idempotency-Key']);
  }
  assert.equal((await program.settled(first.body.id)).replies.length, 1);
});

test('two of one key at once are one message, and with two contents one of them is refused', async (t) => {
  const { program } = await stage(t);
  const same = await Promise.all([1, 2, 3].map(() => program.post('k1', hello)));
  assert.equal(new Set(same.map(({ body }) => body.id)).size, 1);
  const two = await Promise.all(['x', 'y'].map((text) => program.post('k2', { ...hello, text })));
  assert.deepEqual(two.map(({ status }) => status).toSorted(), [202, 409]);
});

/** Whether central has a message that came with this key. */
function hasEvent({ home }: World, key: string): boolean {
  const central = new DatabaseSync(join(home, 'central.db'), { readOnly: true, timeout: 5_000 });
  try {
    return central.prepare('select id from events where platform_id = ?').get(key) !== undefined;
  } finally {
    central.close();
  }
}

test('kill -9 between the commit and the answer: the same key again is one message, answered once', async (t) => {
  const { world, program, port } = await stage(t);
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.pause(); // whatever is answered, the sender does not have it
  const body = JSON.stringify(hello);
  socket.write(
    `POST /v1/chats/ops/messages HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${program.token}\r\n` +
      `Idempotency-Key: once\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  while (!hasEvent(world, 'once')) await world.status();
  await world.restart('SIGKILL');
  socket.destroy();
  const again = await program.post('once', hello);
  assert.deepEqual([again.status, again.body.repeated], [202, true]);
  const view = await program.settled(again.body.id);
  assert.deepEqual(
    view.replies.map((it) => it.text),
    ['hello'],
  );
});

test('with a callback replies are posted there, signed, with their delivery as key', async (t) => {
  const receiver = await Receiver.open();
  t.after(() => receiver.close());
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const input = { chat: 'ops', agent: 'a', port: await freePort(), callback: receiver.url('ops') };
  const program = await addProgram(world, input);
  await receiver.tell({ do: 'know', name: 'ops', secret: program.signing });
  const { body } = await program.post('k', { ...hello, thread: 'room 1' });
  await receiver.until(({ got }) => got.length === 1);
  const [got] = receiver.got;
  assert.ok(got?.signed);
  assert.deepEqual([got.body.text, got.body.thread, got.body.answers], ['hello', 'room 1', [body.id]]);
  assert.deepEqual([got.body.delivery, got.key], [got.id, got.id]);
  const events = await program.ask<ErrorAnswer>('GET', '/v1/chats/ops/events', {});
  assert.equal(events.status, 409);
});

test('what the agent says elsewhere is not shown here, nor a message of another chat', async (t) => {
  const { world, program } = await stage(t);
  const other = await addProgram(world, { chat: 'other', agent: 'a' });
  const id = await program.say('@to terminal between us');
  const view = await program.settled(id);
  assert.deepEqual([view.status, view.replies], ['no-reply', []]);
  assert.doesNotMatch(JSON.stringify(view), /between us/);
  assert.equal((await other.message(id)).status, 404);
  assert.equal((await program.message(await world.send('a', 'mine'))).status, 404);
});

test('commands are obeyed, and a failure is told with its next step', async (t) => {
  const { program } = await stage(t);
  const status = await program.settled(await program.say('/status'));
  assert.match(status.replies[0]?.text ?? '', /^a \(mock, process\)/);
  const failed = await program.settled(await program.say('@fail fatal broken'));
  assert.deepEqual([failed.status, failed.error], ['failed', 'the agent failed: broken']);
  assert.ok((failed.next ?? '') !== '' && failed.notices.length === 1);
});

test('what is not as documented is refused with what to do, and nothing of it is kept', async (t) => {
  const { world, program, port } = await stage(t);
  const url = `http://127.0.0.1:${port}/v1/chats/ops/messages`;
  const bearer = { authorization: `Bearer ${program.token}` };
  const json = { ...bearer, 'content-type': 'application/json' };
  const keyed = { ...json, 'idempotency-key': 'k' };
  const cases: [number, Record<string, string>, string | object][] = [
    [400, json, hello],
    [400, { ...json, 'idempotency-key': 'k'.repeat(201) }, hello],
    [400, { ...json, 'idempotency-key': 'two words' }, hello],
    [400, keyed, '{"sender": "ada", "text": '],
    [400, keyed, '[]'],
    [400, keyed, { text: 'x' }],
    [400, keyed, { sender: ' ', text: 'x' }],
    [400, keyed, { sender: 'a\nb', text: 'x' }],
    [400, keyed, { sender: 'ada' }],
    [400, keyed, { sender: 'ada', text: ' ' }],
    [400, keyed, { ...hello, thread: 5 }],
    [400, keyed, { ...hello, thread: 'x'.repeat(513) }],
    [400, keyed, { ...hello, attachments: [] }],
    [413, keyed, { ...hello, text: 'x'.repeat(LIMITS.textInBytes + 1) }],
    [413, keyed, { ...hello, text: 'x'.repeat(1024 * 1024) }],
    [413, { ...keyed, 'transfer-encoding': 'chunked' }, { ...hello, text: 'x'.repeat(1024 * 1024) }],
    [415, { ...bearer, 'idempotency-key': 'k' }, hello],
    [415, { ...keyed, 'content-type': 'text/plain' }, hello],
  ];
  for (const [expected, headers, body] of cases) {
    const { status, body: answer } = await askHttp<ErrorAnswer>(url, 'POST', headers, body);
    assert.equal(status, expected, JSON.stringify([headers, answer]).slice(0, 500));
    assert.ok(answer.error !== '' && answer.next !== '');
    // Longer than any text in JSON: it is not read to its end.
    if (JSON.stringify(body).length > 1_000_000) assert.match(answer.error, /the request is over \d+ bytes/);
  }
  assert.ok(!hasEvent(world, 'k'));
  assert.equal((await program.post('k', hello)).status, 202);
});

test('a wrong token and an unknown chat are one answer, before anything of the request is looked at', async (t) => {
  const { program, port } = await stage(t);
  const at = (path: string) => `http://127.0.0.1:${port}${path}`;
  const answers: string[] = [];
  for (const [method, path, headers] of [
    ['POST', '/v1/chats/ops/messages', {}],
    ['POST', '/v1/chats/ops/messages', { authorization: 'Bearer hd_wrong' }],
    ['POST', '/v1/chats/none/messages', { authorization: `Bearer ${program.token}` }],
    ['POST', '/v1/chats/ops/messages', { authorization: `Basic ${program.token}` }],
    ['GET', '/v1/chats/none/messages/1', { authorization: `Bearer ${program.token}` }],
    ['GET', '/v1/chats/none/events', { authorization: `Bearer ${program.token}` }],
    ['GET', '/v1/chats/ops/nothing', {}],
    ['GET', '/v1/chats/%2e%2e%2fops/events', {}],
  ] as const) {
    const { status, body } = await askHttp(at(path), method, headers);
    assert.equal(status, 401);
    answers.push(JSON.stringify(body));
  }
  assert.equal(new Set(answers).size, 1);
  for (const path of ['/', '/v1/chats', '/v1/agents', '/v1/chats/ops/nothing']) {
    const authorization = `Bearer ${program.token}`;
    assert.equal((await askHttp(at(path), 'GET', { authorization })).status, 404, path);
  }
});

test('a request by another name is refused, as a page that has rebound its own name would make it', async (t) => {
  const { program, port } = await stage(t);
  const url = `http://127.0.0.1:${port}/v1/chats/ops/messages`;
  const headers = { authorization: `Bearer ${program.token}`, 'content-type': 'application/json' };
  const ask = (host: string, key: string) =>
    askHttp<ErrorAnswer>(url, 'POST', { ...headers, 'idempotency-key': key, host }, hello);
  for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1.evil.example', '10.0.0.1', 'localhost.evil'])
    assert.equal((await ask(host, 'k')).status, 421, host);
  for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, '[::1]'])
    assert.equal((await ask(host, 'k')).status, 202, host);
});

test('who begins a request and does not go on is cut off', async (t) => {
  const { port, program } = await stage(t);
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume().write('GET /openapi.json HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
  await once(socket, 'close');
  assert.ok(isAnswered(await program.settled(await program.say('@reply still here'))));
});
