/** What an owner does with the http channel, by the CLI. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import type { ChannelView, HttpChatMade, HttpChatView } from '../../host/api/channel-contract.ts';
import { runHalfdoor } from '../world/doctor.ts';
import { openWorld, type World } from '../world/host.ts';
import { askHttp, freePort, Program } from '../world/program.ts';

async function stage(t: TestContext): Promise<World> {
  const world = await openWorld(t);
  await world.createAgent({ name: 'helper' });
  return world;
}

const cli = ({ home }: World, ...words: string[]) => runHalfdoor({ home, words });

async function add(world: World, ...words: string[]): Promise<HttpChatMade> {
  const { code, out, err } = await cli(world, 'channels', 'add', 'http', ...words, '--json');
  assert.equal(code, 0, out + err);
  return JSON.parse(out) as HttpChatMade;
}

const programOf = ({ url, chat }: HttpChatMade): Program =>
  new Program(url, chat?.name ?? '', chat?.token ?? '', chat?.signing ?? null);

async function listed(world: World): Promise<ChannelView & { chats: HttpChatView[] }> {
  const { out } = await cli(world, 'channels', 'list', '--json');
  const [http] = JSON.parse(out) as (ChannelView & { chats: HttpChatView[] })[];
  assert.ok(http);
  return http;
}

test('a chat is added with its token, shown once and kept as a hash; it holds after a restart', async (t) => {
  const world = await stage(t);
  const port = String(await freePort());
  const made = await add(world, '--chat', 'ops', '--agent', 'helper', '--port', port);
  assert.match(made.chat?.token ?? '', /^hd_[\w-]{43}$/);
  assert.deepEqual(
    [made.url, made.chat?.agent, made.chat?.destination, made.chat?.signing, made.fault],
    [`http://127.0.0.1:${port}`, 'helper', 'ops', null, null],
  );
  const program = programOf(made);
  await world.restart('SIGTERM');
  const id = await program.say('@reply hello');
  assert.equal((await program.settled(id)).replies[0]?.text, 'hello');
  const { state, chats } = await listed(world);
  assert.equal(state, 'connected');
  assert.deepEqual(
    chats.map(({ name, agent, callback }) => [name, agent, callback]),
    [['ops', 'helper', null]],
  );
  const shown = (await cli(world, 'channels', 'list')).out;
  assert.match(shown, /ops +helper +events/);
  await world.end('SIGTERM');
  const { out } = await runHalfdoor({ home: world.home, main: 'cli/main.ts', words: ['logs', '-n', '1000'] });
  const central = new DatabaseSync(join(world.home, 'central.db'), { readOnly: true });
  const everything = JSON.stringify(central.prepare('select * from http_chats').all()) + out + shown;
  const audit = central.prepare('select action, target from audit order by id').all();
  central.close();
  assert.ok(!everything.includes(made.chat?.token ?? 'none'));
  assert.deepEqual(
    audit.map((row) => ({ ...row })),
    [
      { action: 'add_channel', target: 'http' },
      { action: 'add_chat', target: 'http:ops' },
    ],
  );
});

test('people read where to send, where replies are, and the secrets, once', async (t) => {
  const world = await stage(t);
  const port = String(await freePort());
  const words = ['--chat', 'ops', '--agent', 'helper', '--port', port, '--callback', 'http://127.0.0.1:9/in'];
  const { code, out } = await cli(world, 'channels', 'add', 'http', ...words);
  assert.equal(code, 0);
  assert.match(out, new RegExp(`send to +http://127.0.0.1:${port}/v1/chats/ops/messages`));
  assert.match(out, /replies +http:\/\/127\.0\.0\.1:9\/in/);
  assert.match(out, /token +hd_[\w-]{43}\n/);
  assert.match(out, /signing +whsec_[\w+/]{43}=\n/);
  const again = await cli(world, 'channels', 'add', 'http', '--chat', 'ops', '--agent', 'helper');
  assert.equal(again.code, 1);
  assert.match(again.err, /there is a chat ops already/);
  assert.match(again.err.replaceAll(/\s+/g, ' '), /channels add http --chat ops --rotate/);
});

test('a new token ends the old one, and the callback may change with it', async (t) => {
  const world = await stage(t);
  const port = String(await freePort());
  const first = programOf(await add(world, '--chat', 'ops', '--agent', 'helper', '--port', port));
  const made = await add(world, '--chat', 'ops', '--rotate', '--callback', 'https://example.org/in');
  assert.ok(made.chat?.signing);
  assert.equal((await first.post('k', { sender: 'ada', text: 'x' })).status, 401);
  const program = programOf(made);
  assert.equal((await program.post('k', { sender: 'ada', text: '@silent' })).status, 202);
  assert.equal((await listed(world)).chats[0]?.callback, 'https://example.org/in');
  const back = await add(world, '--chat', 'ops', '--rotate', '--no-callback');
  assert.deepEqual([back.chat?.callback, back.chat?.signing], [null, null]);
});

test('the name of a chat is its destination, with a number where the agent has one of that name', async (t) => {
  const world = await stage(t);
  const port = String(await freePort());
  const made = await add(world, '--chat', 'terminal', '--agent', 'helper', '--port', port);
  assert.equal(made.chat?.destination, 'terminal-2');
  const program = programOf(made);
  await program.settled(await program.say('@to terminal for the owner'));
  await program.settled(await program.say('@to terminal-2 for the program'));
  const events = program.events();
  await events.until(({ said }) => said.some((it) => it.text === 'for the program'));
  events.close();
});

test('a chat that is taken away is gone for its program; one of that name made later knows nothing of it', async (t) => {
  const world = await stage(t);
  const port = String(await freePort());
  const program = programOf(await add(world, '--chat', 'ops', '--agent', 'helper', '--port', port));
  const id = await program.say('@reply secret');
  await program.settled(id);
  await program.settled(await program.say('@fail fatal broken'));
  const open = await program.say('@slow 60000');
  const { code } = await cli(world, 'channels', 'remove', 'http', '--chat', 'ops');
  assert.equal(code, 0);
  assert.equal((await program.message(id)).status, 401);
  assert.equal((await world.settled(open)).error, 'the chat was removed before this was answered');
  assert.deepEqual((await listed(world)).chats, []);
  const { deliveries, dead } = (await world.status()).open;
  assert.deepEqual([deliveries, dead], [0, 0]);
  const later = programOf(await add(world, '--chat', 'ops', '--agent', 'helper'));
  assert.equal((await later.message(id)).status, 404);
  const events = later.events(0);
  await later.settled(await later.say('@reply anew'));
  await events.until(({ said }) => said.length === 1);
  assert.deepEqual(events.texts, ['anew']);
  events.close();
});

test('removed and added again, the channel goes on with its chats', async (t) => {
  const world = await stage(t);
  const port = String(await freePort());
  const program = programOf(await add(world, '--chat', 'ops', '--agent', 'helper', '--port', port));
  await program.settled(await program.say('@reply waits'));
  assert.equal((await cli(world, 'channels', 'remove', 'http')).code, 0);
  await assert.rejects(program.post('k', { sender: 'ada', text: 'x' }), /ECONNREFUSED/);
  await add(world, '--port', port);
  const events = program.events();
  await events.until(({ said }) => said.length === 1);
  assert.deepEqual(events.texts, ['waits']);
  events.close();
});

test('a port that is taken: the channel says so and what to do, the host goes on, and elsewhere it listens', async (t) => {
  const world = await stage(t);
  const other = createServer();
  t.after(() => other.close());
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  const made = await add(world, '--chat', 'ops', '--agent', 'helper', '--port', String(port));
  assert.equal(made.fault?.text, `127.0.0.1:${port} is taken by another program`);
  assert.equal((await listed(world)).state, 'broken');
  await world.restart('SIGTERM');
  assert.match((await cli(world, 'channels', 'list')).out, /channels add http --port/);
  assert.equal(await world.reply('helper', '@reply still here'), 'still here');
  const moved = await add(world, '--port', String(await freePort()));
  assert.equal(moved.fault, null);
  assert.equal((await listed(world)).state, 'connected');
  const program = new Program(moved.url, 'ops', made.chat?.token ?? '', null);
  assert.equal((await program.post('k', { sender: 'ada', text: '@silent' })).status, 202);
});

test('beyond loopback it is opened only by a yes, and asked by the names that were given', async (t) => {
  const world = await stage(t);
  const port = String(await freePort());
  const words = ['--chat', 'ops', '--agent', 'helper', '--port', port, '--bind', '0.0.0.0'];
  const asked = await cli(world, 'channels', 'add', 'http', ...words);
  assert.equal(asked.code, 1);
  assert.match(asked.err, /in the clear/);
  assert.deepEqual((await world.call('GET', '/v1/channels')).body, []);
  const made = await add(world, ...words, '--host-name', 'bots.example', '--yes');
  const headers = { authorization: `Bearer ${made.chat?.token}` };
  const ask = (host: string) => askHttp(`${made.url}/v1/chats/ops/messages/x`, 'GET', { ...headers, host });
  for (const host of [`bots.example:${port}`, '192.0.2.7', 'localhost'])
    assert.equal((await ask(host)).status, 404, host);
  assert.equal((await ask('other.example')).status, 421);
});

test('what cannot be added is refused with what to do', async (t) => {
  const world = await stage(t);
  for (const [words, said] of [
    [[], /nothing is said of what to add/],
    [['--chat', 'ops'], /nobody is named to listen in ops/],
    [['--chat', 'ops', '--agent', 'nobody'], /no agent named nobody/],
    [['--chat', 'Ops Room', '--agent', 'helper'], /a chat's name is/],
    [['--chat', 'ops', '--agent', 'helper', '--port', '0'], /that is no port/],
    [['--chat', 'ops', '--agent', 'helper', '--callback', 'ftp://x/'], /not a plain http or https address/],
    [['--chat', 'ops', '--agent', 'helper', '--callback', 'http://u:p@x/'], /not a plain http or https address/],
    [['--chat', 'ops', '--rotate'], /there is no chat ops yet/],
    [['--host-name', 'http://x/'], /no names of hosts/],
  ] as const) {
    const { code, err } = await cli(world, 'channels', 'add', 'http', ...words);
    assert.notEqual(code, 0);
    assert.match(err.replaceAll(/\s+/g, ' '), said);
  }
  assert.deepEqual((await world.call('GET', '/v1/channels')).body, []);
});
