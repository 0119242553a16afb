import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { LIMITS } from '@halfdoor/protocol/limits';
import { runCli } from '../../cli/tests/run-cli.ts';
import { bring, bringing, filesOf, post, refusals, rows, upload } from '../world/files.ts';
import { given } from '../world/folders.ts';
import { openWorld, type World } from '../world/host.ts';

async function withAgent(t: TestContext): Promise<World> {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  return world;
}

const inbox = (world: World): string[] => readdirSync(join(world.home, 'inbox'));
const outbox = (world: World): string[] => readdirSync(join(world.home, 'outbox'));
const toolCall = (input: object): string => `@tool send_file ${JSON.stringify({ to: 'terminal', ...input })}`;
const NOTE = [{ name: 'note.txt', content: 'what it says' }];

test('a file comes with a message, is listed in the prompt and can be read where that says', async (t) => {
  const world = await withAgent(t);
  const view = await bring(world, 'a', '@attached\n@shell ls /*/in/files "$HOME"/../../in/files/*', [
    ...NOTE,
    { name: '../../etc/note.txt', content: 'another of that name' },
  ]);
  const [read, listed] = view.replies.map((it) => it.text);
  assert.equal(read, 'what it says\nanother of that name');
  assert.match(listed ?? '', /note-2\.txt\nnote\.txt/);
  assert.deepEqual(readdirSync(join(world.home, 'inbox', view.id)).sort(), ['note-2.txt', 'note.txt']);
});

test('a message may be nothing but files; without any it still must say something', async (t) => {
  const world = await withAgent(t);
  const { id } = await bring(world, 'a', '', NOTE);
  assert.equal(await world.reply('a', `@shell cat "$HOME"/../../in/files/${id}/note.txt`), 'what it says');
  assert.equal((await post(world, 'a', { text: ' ' })).status, 400);
});

test('it can be read in later turns too, until /new; retention and a sweep take it with its event', async (t) => {
  const world = await withAgent(t);
  await bring(world, 'a', '@reply seen', NOTE);
  const { folder } = await world.session('a');
  const read = `@shell cat ${join(folder, 'in', 'files')}/*/note.txt`;
  assert.equal(await world.reply('a', read), 'what it says');
  await world.restart('SIGKILL');
  assert.equal(await world.reply('a', read), 'what it says');
  await world.reply('a', '/new');
  assert.match(await world.reply('a', read), /No such file/);
});

test('the same message again leaves no second copy, and what was refused leaves none', async (t) => {
  const world = await withAgent(t);
  const first = await post(world, 'a', await bringing(world, '@attached', NOTE, 'one-id'));
  const again = await post(world, 'a', await bringing(world, '@attached', NOTE, 'one-id'));
  assert.equal(again.body.id, first.body.id);
  assert.equal((await post(world, 'nobody', await bringing(world, 'hello', NOTE))).status, 404);
  assert.deepEqual(inbox(world), [first.body.id]);
  await world.settled(first.body.id);
  assert.equal((await world.ask('a', '/status')).status, 'answered');
  await post(world, 'a', await bringing(world, '/help', NOTE));
  assert.deepEqual(inbox(world), [first.body.id]);
});

test('more files than a message may bring, and larger ones, are refused', async (t) => {
  const world = await withAgent(t);
  const many = Array.from({ length: LIMITS.attachments + 1 }, (_, n) => ({ name: `${n}`, content: 'x' }));
  const refused = await post(world, 'a', await bringing(world, 'many', many));
  assert.deepEqual([refused.status, refused.body.next], [413, 'Send it in parts.']);
  const { status } = await world.call('POST', '/v1/uploads', 'x'.repeat(LIMITS.attachmentBytes + 1));
  assert.equal(status, 413);
  const taken = await upload(world, 'x');
  const once = { text: '@attached', files: [{ upload: taken, name: 'x' }] };
  assert.equal((await post(world, 'a', once)).status, 202);
  assert.equal((await post(world, 'a', once)).status, 404, 'it was taken over');
  const strange = { text: 'x', files: [{ upload: '../central.db', name: 'x' }] };
  assert.equal((await post(world, 'a', strange)).status, 400);
});

test('a lost inbound.db is made again with the files of its messages', async (t) => {
  const world = await withAgent(t);
  await world.reply('a', '@reply up');
  const { folder } = await world.session('a');
  const open = await post(world, 'a', await bringing(world, '@sleep 600000\n@attached', NOTE));
  await world.end('SIGKILL');
  rmSync(join(folder, 'in'), { recursive: true });
  mkdirSync(join(folder, 'in'));
  await world.start();
  const back = await post(world, 'a', { text: `@shell cat ${folder}/in/files/${open.body.id}/note.txt` });
  await world.reply('a', '/stop');
  assert.equal((await world.settled(back.body.id)).status, 'failed');
  assert.equal(readFileSync(join(folder, 'in', 'files', open.body.id, 'note.txt'), 'utf8'), 'what it says');
});

test('what a kill left half made is swept at the start', async (t) => {
  const world = await withAgent(t);
  const { id } = await bring(world, 'a', '@attached', NOTE);
  const sent = filesOf(await world.ask('a', `@write f.txt x\n${toolCall({ path: 'f.txt' })}`));
  assert.equal(sent.length, 1);
  await world.end('SIGKILL');
  for (const place of ['inbox', 'outbox']) {
    mkdirSync(join(world.home, place, '01900000-0000-7000-8000-000000000000'));
    writeFileSync(join(world.home, place, '01900000-0000-7000-8000-000000000000', 'half'), 'x');
  }
  await world.start();
  assert.deepEqual(inbox(world), [id]);
  assert.equal(outbox(world).length, 1);
  assert.equal(readFileSync(sent[0]?.path ?? '', 'utf8'), 'x');
});

test('an agent sends a file: the person has a copy that no later change reaches', async (t) => {
  const world = await withAgent(t);
  const view = await world.ask(
    'a',
    `@write report.pdf pages\n${toolCall({ path: 'report.pdf', caption: 'as asked' })}`,
  );
  const [message, answer] = view.replies;
  assert.deepEqual([message?.text, answer?.text], ['as asked', `sent report.pdf, 5 bytes, as #${message?.seq}`]);
  const [file] = filesOf(view);
  assert.deepEqual([file?.name, file?.mime, file?.bytes], ['report.pdf', 'application/pdf', 5]);
  await world.reply('a', '@write report.pdf changed\n@shell rm -rf "$HOME"/../../out/files/*');
  assert.equal(readFileSync(file?.path ?? '', 'utf8'), 'pages');
});

test('in a terminal it is a line with the path of the copy, and --file brings one', async (t) => {
  const world = await withAgent(t);
  const path = join(world.folder, 'letter.txt');
  writeFileSync(path, 'dear agent');
  const asked = await runCli(world.home, ['send', 'a', '@attached', '--file', path, '--wait']);
  assert.deepEqual([asked.code, asked.out], [0, 'dear agent\n']);
  const missing = await runCli(world.home, ['send', 'a', 'x', '--file', join(world.folder, 'none')]);
  assert.match(missing.err, /there is no file/);
  const words = `@write f.txt hi\n${toolCall({ path: 'f.txt', caption: 'here' })}`;
  const { out } = await runCli(world.home, ['send', 'a', words, '--wait']);
  const [, shown = ''] = /^here\nfile f\.txt, 2 bytes: (.*)$/m.exec(out) ?? [];
  assert.equal(readFileSync(shown, 'utf8'), 'hi');
});

test('only files of its own folders and the one of the person are sent, none too large, none to nobody', async (t) => {
  const world = await withAgent(t);
  const folder = await given(world, 'a', 'project');
  writeFileSync(join(folder, 'mine.txt'), 'mine');
  const inside = await world.ask('a', toolCall({ path: 'mine.txt' }));
  assert.equal(readFileSync(filesOf(inside)[0]?.path ?? '', 'utf8'), 'mine');
  writeFileSync(join(world.folder, 'other.txt'), 'not given');
  const { folder: session } = await world.session('a');
  for (const [path, why] of [
    [join(world.folder, 'other.txt'), /only files in .* can be sent/],
    [join(session, 'in', 'inbound.db'), /only files in/],
    ['../in/inbound.db', /only files in/],
    ['none.txt', /there is no file/],
    ['.', /only files in|not a plain file/],
  ] as const) {
    assert.match(await world.reply('a', toolCall({ path })), why, path);
  }
  await world.reply('a', '@shell truncate -s 52428801 big');
  assert.match(await world.reply('a', toolCall({ path: 'big' })), /at most 52428800 can be sent/);
  assert.match(await world.reply('a', toolCall({ path: 'mine.txt', to: 'nobody' })), /no destination named "nobody"/);
});

test('a name no person should see crosses as one they can', async (t) => {
  const world = await withAgent(t);
  const odd = 'a\u202egpj.exe';
  const made = `@write ${odd} x`;
  const view = await world.ask('a', `${made}\n${toolCall({ path: odd })}`);
  assert.equal(filesOf(view)[0]?.name, 'a_gpj.exe');
});

test('a turn that is made again does not send the same file twice', async (t) => {
  const world = await withAgent(t);
  const once = `@shell [ -e died ] || { touch died; touch dying; }`;
  const die = `@shell [ -e dying ] && { rm dying; kill -9 $PPID; }; true`;
  const view = await world.ask(
    'a',
    `@write f.txt hi\n${once}\n${toolCall({ path: 'f.txt', caption: 'c' })}\n${die}\n@reply end`,
  );
  assert.equal(filesOf(view).length, 1, JSON.stringify(view.replies));
  assert.ok(view.replies.some((it) => it.text.startsWith('already sent as #')));
});

test('copies of what waits stay; those of an agent that is no more go with the next sweep', async (t) => {
  const world = await withAgent(t);
  await world.ask('a', `@write f.txt hi\n${toolCall({ path: 'f.txt' })}`);
  assert.deepEqual(
    outbox(world),
    rows(world, 'select delivery_id as id from outbox').map((it) => it.id),
  );
  await world.call('DELETE', '/v1/agents/a');
  await world.end('SIGTERM');
  world.log = '';
  await world.start();
  await world.logged('what is over and past its age is forgotten');
  assert.deepEqual(outbox(world), []);
  assert.deepEqual(rows(world, 'select * from outbox'), []);
  assert.ok(!existsSync(join(world.home, 'trash')) || readdirSync(join(world.home, 'trash')).length === 0);
  assert.deepEqual(refusals(world), []);
});

test('at once only so much is sent; the next turn sends the rest', async (t) => {
  const world = await withAgent(t);
  const names = ['a', 'b', 'c', 'd', 'e'];
  const made = names.map((it) => `@shell truncate -s ${LIMITS.outboundFileBytes} ${it} && echo ${it}`);
  await world.ask('a', made.join('\n'));
  const id = await world.send('a', names.map((path) => toolCall({ path })).join('\n'));
  const sent = await world.settled(id, 10 * 60_000);
  assert.deepEqual(
    filesOf(sent).map((it) => [it.name, it.bytes]),
    names.slice(0, 4).map((it) => [it, LIMITS.outboundFileBytes]),
  );
  assert.match(sent.replies.at(-1)?.text ?? '', /209715200 bytes of files are being sent already.*next turn/);
  assert.deepEqual(
    filesOf(await world.ask('a', toolCall({ path: 'e' }))).map((it) => it.name),
    ['e'],
  );
});
