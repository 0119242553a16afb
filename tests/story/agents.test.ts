import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { AgentView, ApiError } from '../../host/api/contract.ts';
import { openModelEndpoint } from '../fakes/model-endpoint.ts';
import { openWorld, type World } from '../world/host.ts';

const said = (text: string) => ({ text: `<message to="terminal">${text}</message>` });

async function update(world: World, name: string, patch: object): Promise<AgentView> {
  const { status, body } = await world.call<AgentView>('PATCH', `/v1/agents/${name}`, patch);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

function endings(world: World): string[] {
  const central = new DatabaseSync(join(world.home, 'central.db'), { readOnly: true });
  const rows = central.prepare('select ending from runs order by session_id, run').all();
  central.close();
  return rows.map((row) => String(row.ending));
}

test('a run that is idle ends at once when its agent changes; the next one is what it is now', async (t) => {
  const endpoint = await openModelEndpoint('openai', [said('from m1'), said('from m2')]);
  t.after(() => endpoint.close());
  const world = await openWorld(t);
  const { baseUrl } = endpoint;
  await world.createAgent({ name: 'a', provider: 'direct', model: 'm1', api: 'openai', baseUrl });
  assert.equal(await world.reply('a', 'hello'), 'from m1');
  const chat = world.chat('a');
  await chat.until((events) => events.find((it) => it.type === 'ready'));
  const changed = await update(world, 'a', { model: 'm2', instructions: 'Be short.' });
  assert.deepEqual([changed.model, changed.baseUrl, changed.api], ['m2', baseUrl, 'openai']);
  assert.equal(readFileSync(changed.instructionsFile, 'utf8'), 'Be short.');
  assert.equal(await world.reply('a', 'again'), 'from m2');
  assert.deepEqual(
    endpoint.asked.map(({ body }) => body.model),
    ['m1', 'm2'],
  );
  assert.match(JSON.stringify(endpoint.asked[1]?.body.messages), /Be short\..*hello.*again/s);
  assert.equal((await world.session('a')).run, 2);
  chat.close();
  await world.end('SIGTERM');
  assert.deepEqual(endings(world), ['renewed', 'shutdown']);
});

test('a busy run ends after its open messages are settled, and no message is lost or blamed', async (t) => {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const first = Promise.withResolvers<void>();
  const answers = [{ after: released, ...said('one') }, said('two'), said('three')];
  const endpoint = await openModelEndpoint('openai', answers, () => first.resolve());
  t.after(() => endpoint.close());
  const world = await openWorld(t);
  const { baseUrl } = endpoint;
  await world.createAgent({ name: 'a', provider: 'direct', model: 'm1', api: 'openai', baseUrl });
  const one = await world.send('a', 'one');
  await first.promise;
  await update(world, 'a', { model: 'm2' });
  const { run, state } = await world.session('a');
  assert.deepEqual([run, state], [1, 'awake']);
  const two = await world.send('a', 'two');
  release();
  for (const [id, text] of [
    [one, 'one'],
    [two, 'two'],
  ] as const) {
    assert.equal((await world.settled(id)).replies[0]?.text, text);
  }
  assert.equal(await world.reply('a', 'three'), 'three');
  assert.equal(endpoint.asked.at(-1)?.body.model, 'm2');
  await world.end('SIGTERM');
  assert.deepEqual(endings(world), ['renewed', 'shutdown']);
});

test('messages that come while an agent is changed again and again are each answered once', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  await world.reply('a', '@reply warm');
  const chat = world.chat('a');
  const sent = Array.from({ length: 12 }, (_, n) => `number ${n}`);
  for (const text of sent) {
    await world.send('a', `@reply ${text}`);
    await update(world, 'a', { instructions: text });
  }
  await chat.until(() => (chat.texts.length > sent.length ? true : undefined));
  assert.deepEqual(chat.texts, ['warm', ...sent]);
  chat.close();
  await world.end('SIGTERM');
  assert.ok(endings(world).includes('renewed'));
});

test('what was not said follows from the endpoint where that changes: a key never goes along', async (t) => {
  const world = await openWorld(t);
  const own = { provider: 'direct', model: 'qwen3', baseUrl: 'http://127.0.0.1:1/v1' };
  const of = ({ model, baseUrl, api, key }: AgentView) => [model, baseUrl, api, key];
  await world.createAgent({ name: 'a', provider: 'direct', model: 'gpt-x' });
  for (const [patch, expected] of [
    [{ model: 'gpt-y' }, ['gpt-y', null, 'openai', 'OPENAI_API_KEY']],
    [{ key: 'MINE' }, ['gpt-y', null, 'openai', 'MINE']],
    [{ model: 'gpt-z' }, ['gpt-z', null, 'openai', 'MINE']],
    [{ model: 'claude-x' }, ['claude-x', null, 'anthropic', 'ANTHROPIC_API_KEY']],
    [own, ['qwen3', own.baseUrl, 'openai', null]],
    [{ key: 'LOCAL' }, ['qwen3', own.baseUrl, 'openai', 'LOCAL']],
    [{ model: 'qwen4', api: 'openai' }, ['qwen4', own.baseUrl, 'openai', 'LOCAL']],
    [{ baseUrl: 'http://127.0.0.1:2' }, ['qwen4', 'http://127.0.0.1:2', 'openai', null]],
    [{ api: 'anthropic', key: 'LOCAL' }, ['qwen4', 'http://127.0.0.1:2', 'anthropic', 'LOCAL']],
    [{ model: 'qwen5' }, ['qwen5', 'http://127.0.0.1:2', 'anthropic', 'LOCAL']],
    [{ baseUrl: null, model: 'gpt-x' }, ['gpt-x', null, 'openai', 'OPENAI_API_KEY']],
    [{ key: null }, ['gpt-x', null, 'openai', null]],
    [{ provider: 'mock' }, [null, null, null, null]],
    [{ provider: 'direct', model: 'gpt-x' }, ['gpt-x', null, 'openai', 'OPENAI_API_KEY']],
    [{ provider: 'demo' }, [null, null, null, null]],
  ] as const) {
    assert.deepEqual(of(await update(world, 'a', patch)), expected, JSON.stringify(patch));
  }
});

test('what is refused at a change changes nothing', async (t) => {
  const world = await openWorld(t);
  const made = await world.createAgent({ name: 'a' });
  for (const [patch, said] of [
    [{ name: 'b' }, /name cannot be changed/],
    [{ provider: 'frob' }, /no provider/],
    [{ provider: 'direct' }, /needs a model/],
    [{ sandbox: 'none' }, /no sandbox/],
    [{ instructions: 'x'.repeat(64 * 1024 + 1) }, /instructions/],
    [{ provider: 'direct', model: 7 }, /needs a model/],
    [{ provider: 'direct', model: 'm'.repeat(201) }, /at most 200 bytes/],
    [{ provider: 'direct', model: 'm', baseUrl: 7 }, /base URL/],
    [{ provider: 'direct', model: 'm', api: 'x' }, /protocol/],
  ] as const) {
    const { status, body } = await world.call<ApiError>('PATCH', '/v1/agents/a', patch);
    assert.equal(status, 400, JSON.stringify(patch));
    assert.match(body.error, said);
  }
  assert.deepEqual((await world.call('GET', '/v1/agents/a')).body, made);
  assert.equal((await world.call('PATCH', '/v1/agents/nobody', { provider: 'mock' })).status, 404);
});

test('deleting ends a live run, fails what is open, drops what waits, and leaves no folder', async (t) => {
  const world = await openWorld(t);
  const { instructionsFile } = await world.createAgent({ name: 'a', instructions: 'Remember me.' });
  await world.createAgent({ name: 'other' });
  await world.reply('a', '@reply nobody confirms this');
  const chat = world.chat('other');
  await chat.until((events) => events.find((it) => it.type === 'ready'));
  const open = await world.send('a', '@sleep 60000');
  const watching = world.chat('a');
  watching.confirms = false;
  await watching.until((events) => events.find((it) => it.type === 'progress'));
  await watching.until(() => (watching.texts.length > 0 ? true : undefined));
  const { pid, folder, id } = await world.session('a');
  const waiting = world.settled(open);
  const deleted = await world.call('DELETE', '/v1/agents/a');
  assert.deepEqual([deleted.status, deleted.body], [200, { deleted: 'a' }]);
  assert.throws(() => process.kill(pid ?? 0, 0), /ESRCH/);
  for (const gone of [folder, join(world.home, 'out', id), dirname(instructionsFile)])
    assert.ok(!existsSync(gone), gone);
  const view = await waiting;
  assert.ok(watching.events.some((it) => it.type === 'settled' && it.message === open && it.status === 'failed'));
  assert.deepEqual([view.status, view.error], ['failed', 'the agent was deleted before this was answered']);
  assert.deepEqual(
    (await world.sessions()).map((it) => it.agent).filter((name) => name.startsWith('a')),
    [],
  );
  const { agents, open: left } = await world.status();
  assert.deepEqual([agents, left], [1, { messages: 0, deliveries: 0, dead: 0 }]);
  assert.deepEqual(
    (await world.call<AgentView[]>('GET', '/v1/agents')).body.map((it) => it.name),
    ['other'],
  );
  for (const [method, path, body] of [
    ['GET', '/v1/agents/a'],
    ['POST', '/v1/agents/a/messages', { text: 'x' }],
    ['PATCH', '/v1/agents/a', { provider: 'mock' }],
    ['DELETE', '/v1/agents/a'],
    ['POST', '/v1/agents/a/check'],
    ['GET', '/v1/agents/a/chat'],
  ] as const) {
    const answer = await world.call<ApiError>(method, path, body);
    assert.deepEqual([answer.status, answer.body.error], [404, 'no agent named a'], `${method} ${path}`);
  }
  assert.equal(await world.reply('other', '@reply still here'), 'still here');
  await chat.until(() => (chat.texts.includes('still here') ? true : undefined));
  chat.close();
  watching.close();
});

test('a new agent of the same name starts empty, also for a message with the id of an old one', async (t) => {
  const world = await openWorld(t);
  const first = await world.createAgent({ name: 'a', instructions: 'old' });
  const old = await world.send('a', '@reply old', 'the-same-id');
  await world.settled(old);
  await world.call('DELETE', '/v1/agents/a');
  const second = await world.createAgent({ name: 'a' });
  assert.notEqual(first.id, second.id);
  const chat = world.chat('a');
  const ready = await chat.until((events) => events.find((it) => it.type === 'ready'));
  assert.equal(ready.waiting, 0);
  const again = await world.send('a', '@reply new', 'the-same-id');
  assert.notEqual(again, old);
  assert.equal((await world.settled(again)).replies[0]?.text, 'new');
  assert.equal((await world.settled(old)).replies[0]?.text, 'old');
  await chat.until(() => (chat.texts.length > 0 ? true : undefined));
  assert.deepEqual(chat.texts, ['new']);
  assert.equal(readFileSync(second.instructionsFile, 'utf8'), '');
  chat.close();
  for (let n = 0; n < 3; n++) {
    assert.equal((await world.call('DELETE', '/v1/agents/a')).status, 200);
    await world.createAgent({ name: 'a' });
  }
});

test('a host that was killed while an agent was deleted removes the rest when it starts', async (t) => {
  const world = await openWorld(t);
  const { id } = await world.createAgent({ name: 'a' });
  await world.createAgent({ name: 'b' });
  await world.reply('b', '@reply warm');
  const open = await world.send('a', '@slow 60000');
  const session = await world.session('a');
  const chat = world.chat('a');
  await chat.until((events) => events.find((it) => it.type === 'progress' && it.state === 'thinking'));
  const cut = world.call('DELETE', '/v1/agents/a').then(
    () => 'answered',
    () => 'cut',
  );
  await chat.until((events) => events.find((it) => it.type === 'settled'));
  await world.restart('SIGKILL');
  await cut;
  chat.close();
  assert.equal((await world.settled(open)).status, 'failed');
  await world.end('SIGTERM');
  assert.ok(!existsSync(session.folder));
  assert.deepEqual(readdirSync(join(world.home, 'agents')).includes(id), false);
  assert.equal(readdirSync(join(world.home, 'agents')).length, 1);
  await world.start();
  assert.equal(await world.reply('b', '@reply still here'), 'still here');
});

test('a message that meets the end of its agent is refused or fails: none is accepted and forgotten', async (t) => {
  const world = await openWorld(t);
  for (let n = 0; n < 10; n++) {
    await world.createAgent({ name: 'a' });
    const send = (at: number) => world.call<{ id: string }>('POST', '/v1/agents/a/messages', { text: `@reply ${at}` });
    const before = [send(0), send(1)];
    const deleting = world.call('DELETE', '/v1/agents/a');
    const answers = await Promise.all([...before, ...[2, 3, 4, 5].map(send)]);
    const deleted = await deleting;
    assert.equal(deleted.status, 200);
    for (const { status, body } of answers) {
      if (status === 404) continue;
      assert.equal(status, 202, JSON.stringify(body));
      assert.match((await world.settled(body.id)).status, /^(failed|answered)$/);
    }
  }
  assert.equal((await world.status()).sessions.awake, 0);
  assert.deepEqual(readdirSync(join(world.home, 'agents')), []);
});
