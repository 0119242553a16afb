import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, readdirSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { LIMITS } from '@halfdoor/protocol/limits';
import { Receiver } from '../fakes/receiver.ts';
import { rows } from '../world/files.ts';
import { BOUNDARY, fetchFile, messagePart, openForm, partHead, postData, postForm, type Part } from '../world/form.ts';
import { openWorld, type World } from '../world/host.ts';
import { addProgram, freePort, type Events, type Program } from '../world/program.ts';

async function stage(t: TestContext): Promise<{ world: World; program: Program }> {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  return { world, program: await addProgram(world, { chat: 'ops', agent: 'a', port: await freePort() }) };
}

const inFolder = (world: World, name: string): string[] => readdirSync(join(world.home, name));
const attached = { sender: 'ada', text: '@attached' };
const NOTE: Part = { name: 'note.txt', content: 'what it says' };

/** What is broken off is removed a moment after the answer. */
async function untilSpool(world: World, holds: (names: string[]) => boolean): Promise<void> {
  while (!holds(inFolder(world, 'spool'))) await world.status();
}
const isEmpty = (names: string[]): boolean => names.length === 0;

test('files come with a message, are listed in the prompt and can be read there', async (t) => {
  const { world, program } = await stage(t);
  const { status, body } = await postForm(program, 'k', attached, [
    NOTE,
    { name: '../../étude 1%.txt', content: 'by hand' },
    { name: 'note.txt', content: '' },
  ]);
  assert.equal(status, 202, JSON.stringify(body));
  const view = await program.settled(body.id);
  assert.match(view.replies[0]?.text ?? '', /^what it says\nby hand/);
  assert.deepEqual(inFolder(world, join('inbox', body.id)).sort(), ['note-2.txt', 'note.txt', 'étude 1%.txt']);
  const [{ content } = {}] = rows(world, 'select content from events where id = ?', body.id);
  const { files } = JSON.parse(String(content)) as { files: { name: string; mime: string; bytes: number }[] };
  assert.deepEqual(files.map(({ name, mime, bytes }) => [name, mime, bytes])[0], ['note.txt', 'text/plain', 12]);
  assert.deepEqual(inFolder(world, 'spool'), []);
});

test('a message may be nothing but files, its JSON may have a type of its own, and be the last part', async (t) => {
  const { program } = await stage(t);
  const data = new FormData();
  data.append('file', new Blob(['as it is']), 'a.bin');
  data.append('message', new Blob([JSON.stringify({ sender: 'ada', text: '' })], { type: 'application/json' }));
  const { status, body } = await postData(program, 'k', data);
  assert.equal(status, 202, JSON.stringify(body));
  const id = await program.say(`@shell cat "$HOME"/../../in/files/${body.id}/a.bin`);
  assert.equal((await program.settled(id)).replies[0]?.text, 'as it is');
  assert.equal((await postForm(program, 'k2', { sender: 'ada', text: ' ' }, [])).status, 400);
});

test('a file as large as one may be is taken, and another that is one byte over is not', async (t) => {
  const { world, program } = await stage(t);
  const largest = { name: 'large', content: new Uint8Array(LIMITS.attachmentBytes) };
  const { status, body } = await postForm(program, 'k', { sender: 'ada', text: 'x' }, [largest]);
  assert.equal(status, 202, JSON.stringify(body));
  const over = { name: 'over', content: new Uint8Array(LIMITS.attachmentBytes + 1) };
  const refused = await postForm(program, 'k2', { sender: 'ada', text: 'x' }, [NOTE, over]);
  assert.deepEqual([refused.status, refused.body.error], [413, `a file is over ${LIMITS.attachmentBytes} bytes`]);
  await untilSpool(world, isEmpty);
  assert.deepEqual(inFolder(world, 'inbox'), [body.id]);
});

test('the same key with the same files is one message, with others it is refused', async (t) => {
  const { world, program } = await stage(t);
  const { body } = await postForm(program, 'k', attached, [NOTE]);
  for (const again of await Promise.all([1, 2].map(() => postForm(program, 'k', attached, [NOTE])))) {
    assert.deepEqual([again.status, again.body], [202, { id: body.id, repeated: true }]);
  }
  await world.restart('SIGKILL');
  assert.deepEqual((await postForm(program, 'k', attached, [NOTE])).body, { id: body.id, repeated: true });
  const others: Part[][] = [
    [],
    [{ ...NOTE, content: 'what is says' }],
    [{ ...NOTE, name: 'letter.txt' }],
    [{ ...NOTE, content: 'what it says, and more' }],
    [NOTE, NOTE],
  ];
  for (const files of others) {
    const { status, body: answer } = await postForm(program, 'k', attached, files);
    assert.deepEqual([status, answer.error], [409, 'another message came with this Idempotency-Key']);
  }
  assert.equal((await program.post('k', attached)).status, 409);
  const two = await Promise.all(['x', 'y'].map((content) => postForm(program, 'k2', attached, [{ ...NOTE, content }])));
  assert.deepEqual(two.map(({ status }) => status).toSorted(), [202, 409]);
  assert.equal(inFolder(world, 'inbox').length, 2);
  assert.deepEqual(inFolder(world, 'spool'), []);
});

test('a command has no use for files, and stays the same command', async (t) => {
  const { world, program } = await stage(t);
  const first = await postForm(program, 'k', { sender: 'ada', text: '/help' }, [NOTE]);
  const again = await postForm(program, 'k', { sender: 'ada', text: '/help' }, [NOTE]);
  assert.deepEqual([again.status, again.body], [202, { id: first.body.id, repeated: true }]);
  assert.deepEqual([inFolder(world, 'inbox'), inFolder(world, 'spool')], [[], []]);
});

test('what is not as documented is refused with what to do, and nothing of it is kept', async (t) => {
  const { world, program } = await stage(t);
  const many = Array.from({ length: LIMITS.attachments + 1 }, (_, n) => ({ name: `${n}`, content: 'x' }));
  const long = { sender: 'ada', text: 'x'.repeat(1024 * 1024) };
  const message = messagePart(attached);
  const file = `${partHead('file', 'f')}x\r\n`;
  const end = `--${BOUNDARY}--\r\n`;
  const type = `multipart/form-data; boundary=${BOUNDARY}`;
  const cases: [number, string, string, string][] = [
    [400, 'no message', type, `${file}${end}`],
    [400, 'nothing', type, end],
    [400, 'no JSON', type, `${partHead('message')}hello\r\n${file}${end}`],
    [400, 'two messages', type, `${message}${file}${message}${end}`],
    [400, 'a field that is not known', type, `${message}${partHead('attachment', 'f')}x\r\n${end}`],
    [400, 'no end', type, `${message}${file}`],
    [400, 'no end of its file', type, `${message}${partHead('file', 'f')}xxxx`],
    [400, 'no form', type, 'hello'],
    [400, 'no boundary', 'multipart/form-data', `${message}${end}`],
    [413, 'a long message', type, `${file}${messagePart(long)}${end}`],
    [415, 'another kind of form', 'application/x-www-form-urlencoded', 'message=x'],
  ];
  for (const [expected, name, header, body] of cases) {
    const answer = await program.post('k', body, { 'content-type': header });
    assert.equal(answer.status, expected, `${name}: ${JSON.stringify(answer.body)}`);
    assert.ok(answer.body.error !== '' && answer.body.next !== '', name);
  }
  const tooMany = await postForm(program, 'k', attached, many);
  assert.deepEqual([tooMany.status, tooMany.body.next], [413, 'Send it in parts.']);
  await untilSpool(world, isEmpty);
  assert.deepEqual([inFolder(world, 'inbox'), rows(world, 'select id from events')], [[], []]);
  assert.equal((await postForm(program, 'k', attached, [NOTE])).status, 202);
});

test('too large a file is refused before all of it came', async (t) => {
  const { world, program } = await stage(t);
  const asked = openForm(program, 'k');
  const answered = once(asked, 'response') as Promise<[IncomingMessage]>;
  asked.write(`${messagePart(attached)}${partHead('file', 'endless')}`);
  asked.write(Buffer.alloc(LIMITS.attachmentBytes + 1));
  const [answer] = await answered;
  assert.equal(answer.statusCode, 413);
  asked.destroy();
  await untilSpool(world, isEmpty);
});

test('a sender that hangs up leaves nothing, and nobody else is kept out by many that dawdle', async (t) => {
  const { world, program } = await stage(t);
  const begun = [1, 2, 3, 4].map((n) => {
    const asked = openForm(program, `k${n}`);
    asked.write(`${messagePart(attached)}${partHead('file', 'half')}some of it`);
    return asked;
  });
  await untilSpool(world, (names) => names.length === 4);
  const refused = await postForm(program, 'k5', attached, [NOTE]);
  assert.deepEqual([refused.status, refused.headers['retry-after']], [429, '1']);
  assert.equal((await program.post('k6', { sender: 'ada', text: '@reply hi' })).status, 202);
  for (const it of begun) it.destroy();
  await untilSpool(world, isEmpty);
  assert.deepEqual(inFolder(world, 'inbox'), []);
  while ((await postForm(program, 'k5', attached, [NOTE])).status === 429) await world.status();
});

test('what cannot be kept now is taken later', async (t) => {
  const { world, program } = await stage(t);
  const spool = join(world.home, 'spool');
  chmodSync(spool, 0o500);
  const refused = await postForm(program, 'k', attached, [NOTE]);
  chmodSync(spool, 0o700);
  assert.deepEqual([refused.status, refused.headers['retry-after']], [503, '5']);
  assert.ok(!JSON.stringify(refused.body).includes(world.home));
  assert.equal((await postForm(program, 'k', attached, [NOTE])).status, 202);
});

/** The agent writes this file and sends it to the chat. */
const sends = (name: string, content: string, to = 'ops'): string =>
  `@write ${name} ${content}\n@tool send_file ${JSON.stringify({ to, path: name, caption: 'as asked' })}`;

function opened(t: TestContext, program: Program, after: number | null = null): Events {
  const events = program.events(after);
  t.after(() => events.close());
  return events;
}

test('an agent sends a file: its event says where it is, and it is had there with the token', async (t) => {
  const { world, program } = await stage(t);
  const other = await addProgram(world, { chat: 'other', agent: 'a' });
  const events = opened(t, program);
  const id = await program.say(sends('étude.html', '<p>pages</p>'));
  const view = await program.settled(id);
  await events.until(({ said }) => said.length === 2);
  const [said] = events.said;
  const [file] = said?.files ?? [];
  assert.ok(said && file);
  assert.deepEqual([said.text, said.files.length, events.said[1]?.files], ['as asked', 1, []]);
  assert.deepEqual(file, {
    ...{ name: 'étude.html', mime: 'text/html', bytes: 12 },
    url: `/v1/chats/ops/files/${said.delivery}/0`,
  });
  assert.deepEqual(
    view.replies.map((it) => it.files),
    [[file], []],
  );
  await program.settled(await program.say('@shell rm -rf "$HOME"/../../out/files/* *.html'));
  const got = await fetchFile(program, file.url);
  assert.deepEqual([got.status, got.content.toString()], [200, '<p>pages</p>']);
  const header = (name: string): string | null => got.headers.get(name);
  assert.deepEqual(['content-type', 'content-length', 'x-content-type-options', 'content-disposition'].map(header), [
    'text/html',
    '12',
    'nosniff',
    `attachment; filename="_tude.html"; filename*=UTF-8''%C3%A9tude.html`,
  ]);
  const head = await fetchFile(program, file.url, 'HEAD');
  assert.deepEqual([head.status, head.headers.get('content-length'), head.content.length], [200, '12', 0]);
  const elsewhere = file.url.replace('/ops/', '/other/');
  assert.equal((await fetchFile(other, elsewhere)).status, 404);
  assert.equal((await fetchFile(other, file.url)).status, 401);
  for (const n of ['1', 'x', '-1', '__proto__']) {
    assert.equal((await fetchFile(program, `/v1/chats/ops/files/${said.delivery}/${n}`)).status, 404, n);
  }
});

test('a copy stays to be read after its delivery, through a restart and a sweep, and is in the history', async (t) => {
  const { world, program } = await stage(t);
  const events = opened(t, program);
  await program.settled(await program.say(sends('f.txt', 'hi')));
  await events.until(({ said }) => said.length === 2);
  while ((await world.status()).open.deliveries > 0);
  await world.end('SIGTERM');
  world.log = '';
  await world.start();
  await world.logged('what is over and past its age is forgotten');
  const later = opened(t, program, 0);
  await later.until(({ said }) => said.length === 2);
  assert.deepEqual(later.said[0], events.said[0]);
  const [file] = later.said[0]?.files ?? [];
  assert.equal((await fetchFile(program, file?.url ?? '')).content.toString(), 'hi');
  await world.call('DELETE', '/v1/channels/http/chats/ops');
  assert.equal((await fetchFile(program, file?.url ?? '')).status, 401);
});

test('a callback says where its file is', async (t) => {
  const receiver = await Receiver.open();
  t.after(() => receiver.close());
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const input = { chat: 'ops', agent: 'a', port: await freePort(), callback: receiver.url('ops') };
  const program = await addProgram(world, input);
  await receiver.tell({ do: 'know', name: 'ops', secret: program.signing });
  await program.say(sends('big', 'x\n@shell true'));
  await receiver.until(({ got }) => got.length >= 1);
  const [got] = receiver.got;
  assert.ok(got?.signed);
  assert.equal((await fetchFile(program, got.body.files[0]?.url ?? '')).content.toString(), 'x');
});

test('a large file is had whole, and a reader that leaves in the middle disturbs nobody', async (t) => {
  const { program } = await stage(t);
  const events = opened(t, program);
  const size = 20 * 1024 * 1024;
  const call = JSON.stringify({ to: 'ops', path: 'big' });
  await program.say(`@shell truncate -s ${size} big\n@tool send_file ${call}`);
  await events.until(({ said }) => said.some((it) => it.files.length > 0));
  const url = events.said.flatMap((it) => it.files)[0]?.url ?? '';
  const left = new AbortController();
  const headers = { authorization: `Bearer ${program.token}` };
  const answer = await fetch(`${program.base}${url}`, { headers, signal: left.signal });
  assert.equal(answer.headers.get('content-length'), String(size));
  left.abort();
  assert.equal((await fetchFile(program, url)).content.length, size);
});
