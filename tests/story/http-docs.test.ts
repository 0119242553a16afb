/** What docs/ says of the http channel, held against the real one. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { Validator, type Schema } from '@cfworker/json-schema';
import { routes, type RoutesDeps } from '../../host/channels/http/routes.ts';
import type { ErrorAnswer } from '../../host/channels/http/types.ts';
import { Receiver } from '../fakes/receiver.ts';
import { openWorld, type World } from '../world/host.ts';
import { ROOT } from '../world/programs.ts';
import { addProgram, askHttp, freePort, Program } from '../world/program.ts';

type Content = { schema: { $ref?: string } };
type Response = { headers?: Record<string, unknown>; content?: Record<string, Content> };
type Operation = { parameters?: { name: string; in: string; schema: Schema }[]; responses: Record<string, Response> };
type Document = {
  paths: Record<string, Record<string, Operation>>;
  webhooks: { reply: { post: Operation } };
  components: { schemas: Record<string, Schema> };
};

const TEXT = readFileSync(join(ROOT, 'docs', 'openapi.json'), 'utf8');
const DOCUMENT = JSON.parse(TEXT) as Document;
const METHODS = ['get', 'post'];

/** What is wrong with a value that should be of this schema. */
function faults(schema: Schema, value: unknown): string[] {
  const whole = { ...schema, components: DOCUMENT.components };
  return new Validator(whole, '2020-12', false)
    .validate(value)
    .errors.map((it) => `${it.instanceLocation}: ${it.error}`);
}

const named = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });

/** What was answered by each operation, as `METHOD path`. */
class Answers {
  readonly seen = new Map<string, Set<string>>();

  check(operation: string, { status, body, headers }: { status: number; body: unknown; headers: object }): void {
    const [method = '', path = ''] = operation.split(' ');
    const documented = DOCUMENT.paths[path]?.[method.toLowerCase()]?.responses[status];
    assert.ok(documented, `${operation} answered ${status}, which is not documented: ${JSON.stringify(body)}`);
    const schema = documented.content?.['application/json']?.schema;
    if (schema) assert.deepEqual(faults(schema as Schema, body), [], `${operation} ${status}`);
    for (const name of Object.keys(documented.headers ?? {})) assert.ok(name.toLowerCase() in headers, name);
    this.seen.set(operation, (this.seen.get(operation) ?? new Set()).add(String(status)));
  }
}

async function stage(t: TestContext): Promise<{ world: World; program: Program }> {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  return { world, program: await addProgram(world, { chat: 'ops', agent: 'a', port: await freePort() }) };
}

const SEND = 'POST /v1/chats/{chat}/messages';
const LOOK = 'GET /v1/chats/{chat}/messages/{id}';
const FOLLOW = 'GET /v1/chats/{chat}/events';
const FETCH = 'GET /v1/chats/{chat}/files/{delivery}/{n}';
const DESCRIBE = 'GET /openapi.json';
const hello = { sender: 'ada', text: '@reply hello' };

/** Requests whose bodies do not end: they are being taken until they are broken off. */
async function unended({ base, token }: Program, n: number): Promise<() => void> {
  const { port } = new URL(base);
  const sockets = Array.from({ length: n }, (_, at) => {
    const socket = connect(Number(port), '127.0.0.1').on('error', () => undefined);
    socket.write(
      `POST /v1/chats/ops/messages HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nExpect: 100-continue\r\n` +
        `Idempotency-Key: u${at}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n`,
    );
    return socket;
  });
  await Promise.all(sockets.map((it) => once(it, 'data')));
  return () => sockets.forEach((it) => it.destroy());
}

/** Where a file is that the agent sent, and all of what is said of it is as documented. */
async function sentFile(program: Program): Promise<string> {
  const id = await program.say('@write f.json 1\n@tool send_file {"to": "ops", "path": "f.json"}');
  const view = await program.settled(id);
  assert.deepEqual(faults(named('Standing'), view), []);
  return view.replies[0]?.files[0]?.url ?? '';
}

async function sendEverything(
  answers: Answers,
  { world, program }: Awaited<ReturnType<typeof stage>>,
): Promise<string> {
  const send = async (status: number, ...asked: Parameters<Program['post']>): Promise<string> => {
    const answer = await program.post(...asked);
    assert.equal(answer.status, status, JSON.stringify(answer.body));
    answers.check(SEND, answer);
    return answer.body.id;
  };
  assert.deepEqual(faults(named('Message'), hello), []);
  const id = await send(202, 'k1', hello);
  await send(202, 'k1', hello);
  await send(400, 'k2', {});
  await send(409, 'k1', { ...hello, text: 'other' });
  await send(413, 'k2', { ...hello, text: 'x'.repeat(1_000_000) });
  await send(415, 'k2', hello, { 'content-type': 'text/plain' });
  await send(421, 'k2', hello, { host: 'evil.example' });
  const end = await unended(program, 64);
  await send(429, 'k2', hello);
  end();
  const central = new DatabaseSync(join(world.home, 'central.db'), { timeout: 60_000 });
  central.exec('begin immediate');
  await send(503, 'k3', hello);
  central.exec('rollback');
  central.close();
  await send(202, 'k3', hello);
  const { token } = program;
  program.token = 'wrong';
  await send(401, 'k4', hello);
  program.token = token;
  return id;
}

test('every route, every status and every answer is as openapi.json says, and there is no other', async (t) => {
  const { world, program } = await stage(t);
  const answers = new Answers();
  const events = program.events();
  t.after(() => events.close());
  const id = await sendEverything(answers, { world, program });
  const ask = async (operation: string, path: string, headers: Record<string, string> = {}): Promise<void> => {
    answers.check(operation, await program.ask<ErrorAnswer>('GET', path, headers));
  };
  await program.settled(id);
  const [failed, obeyed] = [await program.say('@fail fatal broken'), await program.say('/status')];
  for (const it of [failed, obeyed]) await program.settled(it);
  for (const it of [id, failed, obeyed, 'none']) await ask(LOOK, `/v1/chats/ops/messages/${it}`);
  await ask(LOOK, '/v1/chats/none/messages/x');
  await ask(LOOK, '/v1/chats/ops/messages/x', { host: 'evil.example' });
  await ask(FOLLOW, '/v1/chats/none/events');
  await ask(FOLLOW, '/v1/chats/ops/events', { host: 'evil.example' });
  await ask(FOLLOW, '/v1/chats/ops/events', { 'last-event-id': 'x' });
  const posted = await addProgram(world, { chat: 'posted', agent: 'a', callback: 'http://127.0.0.1:9/' });
  answers.check(FOLLOW, await posted.ask<ErrorAnswer>('GET', '/v1/chats/posted/events', {}));
  const more = Array.from({ length: 15 }, () => program.events());
  t.after(() => more.forEach((it) => it.close()));
  const opened = await Promise.all([events, ...more].map((it) => it.opened));
  await ask(FOLLOW, '/v1/chats/ops/events');
  for (const { statusCode: status = 0, headers } of opened.slice(0, 1))
    answers.check(FOLLOW, { status, headers, body: '' });
  const url = await sentFile(program);
  await ask(FETCH, url);
  await ask(FETCH, url, { host: 'evil.example' });
  await ask(FETCH, url.replace(/0$/, '1'));
  await ask(FETCH, url.replace('ops', 'none'));
  await ask(DESCRIBE, '/openapi.json');
  await ask(DESCRIBE, '/openapi.json', { host: 'evil.example' });
  await events.until(({ said, states }) => said.length >= 3 && states.length > 0);
  for (const it of events.said) assert.deepEqual(faults(named('Reply'), it), []);
  for (const state of events.states) assert.deepEqual(faults(named('Progress'), { state, since: 'x' }), []);
  await world.call('DELETE', '/v1/agents/a');
  answers.check(SEND, await program.post('k9', hello));

  const documented = Object.entries(DOCUMENT.paths).flatMap(([path, item]) =>
    METHODS.filter((it) => it in item).map((it) => `${it.toUpperCase()} ${path}`),
  );
  assert.deepEqual([...answers.seen.keys()].toSorted(), documented.toSorted());
  for (const operation of documented) {
    const [method = '', path = ''] = operation.split(' ');
    const statuses = Object.keys(DOCUMENT.paths[path]?.[method.toLowerCase()]?.responses ?? {});
    const seen = [...(answers.seen.get(operation) ?? [])];
    assert.deepEqual(seen.toSorted(), statuses.filter((it) => it !== 'default').toSorted(), operation);
  }
  const handlers = routes({} as RoutesDeps).routes.filter((it) => it.method !== 'ALL');
  const handled = handlers.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
  assert.deepEqual(handled.toSorted(), documented.toSorted());
});

test('the document is served as it stands', async (t) => {
  const { program } = await stage(t);
  const { headers, body } = await askHttp<object>(`${program.base}/openapi.json`, 'GET', {});
  assert.equal(headers['content-type'], 'application/json');
  assert.deepEqual(body, DOCUMENT);
});

test('a callback is as openapi.json says, headers too', async (t) => {
  const receiver = await Receiver.open();
  t.after(() => receiver.close());
  const { world } = await stage(t);
  const program = await addProgram(world, { chat: 'posted', agent: 'a', callback: receiver.url('posted') });
  await program.post('k', { ...hello, thread: 'x' });
  await receiver.until(({ got }) => got.length === 1);
  const [got] = receiver.got;
  assert.deepEqual(faults(named('Reply'), got?.body), []);
  for (const { name, schema } of DOCUMENT.webhooks.reply.post.parameters ?? []) {
    assert.deepEqual(faults(schema, got?.headers[name.toLowerCase()]), [], name);
  }
});

/** The code block that follows this mark in docs/http.md. */
function example(mark: string): string {
  const text = readFileSync(join(ROOT, 'docs', 'http.md'), 'utf8');
  const [, code] = new RegExp(`<!-- ${mark} -->\\n\`\`\`\\w+\\n([^]*?)\`\`\``).exec(text) ?? [];
  assert.ok(code, mark);
  return code;
}

test('the example in curl sends a message and reads the reply', async (t) => {
  const { program } = await stage(t);
  const env = { PATH: '/usr/bin:/bin', URL: `${program.base}/v1/chats/ops`, TOKEN: program.token };
  const child = spawn('/bin/sh', ['-c', example('curl')], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (out += part));
  await once(child, 'close');
  assert.match(out, /"status":"answered","replies":\[\{[^}]*"text":"the disk is full"/);
  assert.match(out, /event: message\ndata: \{.*"text":"the disk is full"/);
});

test('the example in curl with a file sends it', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hd-docs-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const { world, program } = await stage(t);
  writeFileSync(join(folder, 'disk.log'), 'full');
  const env = { PATH: '/usr/bin:/bin', URL: `${program.base}/v1/chats/ops`, TOKEN: program.token };
  const script = ['-c', example('curl files')];
  const child = spawn('/bin/sh', script, { env, cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (out += part));
  await once(child, 'close');
  assert.match(out, /"status":"answered","replies":\[\{[^}]*"text":"see the log"/);
  const [event] = readdirSync(join(world.home, 'inbox'));
  assert.equal(readFileSync(join(world.home, 'inbox', event ?? '', 'disk.log'), 'utf8'), 'full');
});

test('the example in Node shows a signed reply once, and refuses what is not signed', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hd-docs-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const { world } = await stage(t);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const program = await addProgram(world, { chat: 'posted', agent: 'a', callback: url });
  const file = join(folder, 'receiver.mjs');
  writeFileSync(file, example('node'));
  const env = { SIGNING: program.signing, PORT: String(port) };
  const child = spawn(process.execPath, [file], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill());
  const shown = once(createInterface({ input: child.stdout }), 'line');
  await program.say('@reply hello');
  assert.deepEqual(await shown, ['hello']);
  const headers = { 'webhook-id': 'x', 'webhook-timestamp': '1', 'webhook-signature': 'v1,x' };
  const forged = request(url, { method: 'POST', headers, agent: false }).end('{}');
  const [answer] = (await once(forged, 'response')) as [{ statusCode: number }];
  assert.equal(answer.statusCode, 401);
});
