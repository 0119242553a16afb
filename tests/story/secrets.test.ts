import assert from 'node:assert/strict';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import type { ApiError, SecretView } from '../../host/api/contract.ts';
import { openModelEndpoint, type Answer, type ModelEndpoint } from '../fakes/model-endpoint.ts';
import { openWorld, type World } from '../world/host.ts';

const said = (text: string): Answer => ({ text: `<message to="terminal">${text}</message>` });

async function endpointFor(t: TestContext, api: 'anthropic' | 'openai', answers: Answer[]): Promise<ModelEndpoint> {
  const endpoint = await openModelEndpoint(api, answers);
  t.after(() => endpoint.close());
  return endpoint;
}

const keysIn = ({ asked }: ModelEndpoint) =>
  asked.map(({ headers }) => headers.authorization ?? headers['x-api-key'] ?? null);

async function keep(world: World, name: string, value: string): Promise<SecretView> {
  const { status, body } = await world.call<SecretView>('PUT', `/v1/secrets/${name}`, { value });
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

test("an endpoint of somebody's own is given no key unless one is named", async (t) => {
  for (const api of ['openai', 'anthropic'] as const) {
    const endpoint = await endpointFor(t, api, [said('one')]);
    const world = await openWorld(t, { OPENAI_API_KEY: 'sk-openai-1', ANTHROPIC_API_KEY: 'sk-ant-1' });
    const { baseUrl } = endpoint;
    const made = await world.createAgent({ name: 'a', provider: 'direct', model: 'm', api, baseUrl });
    assert.equal(made.key, null);
    assert.equal(await world.reply('a', 'hello'), 'one');
    const { headers } = endpoint.asked[0] ?? {};
    assert.deepEqual([headers?.authorization, headers?.['x-api-key']], [undefined, undefined]);
  }
});

test('a secret that is set, changed or removed holds from the next request of a live run on', async (t) => {
  const endpoint = await endpointFor(t, 'openai', [said('one'), said('two'), said('three')]);
  const world = await openWorld(t, { OPENAI_API_KEY: 'sk-of-the-environment' });
  const { baseUrl } = endpoint;
  await world.createAgent({ name: 'a', provider: 'direct', model: 'm', api: 'openai', baseUrl, key: 'MY_KEY' });
  const missing = await world.ask('a', 'hello');
  assert.deepEqual(
    [missing.status, missing.error, missing.next],
    ['failed', 'there is no secret MY_KEY', 'Set it: halfdoor secrets set MY_KEY. It holds from the next message on.'],
  );
  const { pid } = await world.session('a');
  assert.deepEqual((await keep(world, 'MY_KEY', 'sk-first-value')).usedBy, ['a']);
  assert.equal(await world.reply('a', 'again'), 'one');
  await keep(world, 'MY_KEY', 'sk-second-value');
  assert.equal(await world.reply('a', 'again'), 'two');
  assert.equal((await world.call('DELETE', '/v1/secrets/MY_KEY')).status, 200);
  assert.equal((await world.ask('a', 'again')).error, 'there is no secret MY_KEY');
  assert.equal((await world.session('a')).pid, pid, 'the run is the same');
  await keep(world, 'MY_KEY', 'sk-third-value');
  await world.restart('SIGKILL');
  assert.equal(await world.reply('a', 'again'), 'three');
  assert.deepEqual(keysIn(endpoint), ['Bearer sk-first-value', 'Bearer sk-second-value', 'Bearer sk-third-value']);
});

test('a refused key is told with the name of its secret; where none is given, that one must be', async (t) => {
  const refused: Answer = { status: 401, body: { error: { message: 'invalid x-api-key' } } };
  const endpoint = await endpointFor(t, 'anthropic', [refused, refused]);
  const world = await openWorld(t);
  await keep(world, 'MY_KEY', 'sk-ant-some-value');
  const model = { provider: 'direct', model: 'm', api: 'anthropic', baseUrl: endpoint.baseUrl } as const;
  await world.createAgent({ name: 'a', ...model, key: 'MY_KEY' });
  await world.createAgent({ name: 'b', ...model });
  const withKey = await world.ask('a', 'hello');
  assert.equal(withKey.error, 'the model endpoint refused the key in the secret MY_KEY');
  assert.match(withKey.next ?? '', /secrets set MY_KEY/);
  const without = await world.ask('b', 'hello');
  assert.equal(without.error, 'the model endpoint wants a key and is given none');
  assert.match(without.next ?? '', /agents update AGENT --key NAME/);
});

test('a public endpoint that is given no key is not asked at all', async (t) => {
  const world = await openWorld(t);
  const made = await world.createAgent({ name: 'a', provider: 'direct', model: 'claude-x' });
  assert.equal(made.key, 'ANTHROPIC_API_KEY');
  assert.equal((await world.ask('a', 'hello')).error, 'there is no secret ANTHROPIC_API_KEY');
  await world.createAgent({ name: 'b', provider: 'direct', model: 'gpt-x', key: null });
  assert.match((await world.ask('b', 'hello')).error ?? '', /public endpoint wants a key and is given none/);
});

test('what an endpoint echoes of a key, in any form, is in no log and no answer', async (t) => {
  const secret = 'sk+ant/"canary" 7Q2mX9wL=';
  const forms = [
    secret,
    Buffer.from(secret).toString('base64'),
    Buffer.from(secret).toString('base64url'),
    Buffer.from(secret).toString('hex'),
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
  ];
  const answers = forms.map((form): Answer => ({ status: 400, body: { error: { message: `you sent ${form}` } } }));
  // The log takes the first 500 characters: the cut goes through the key.
  const plain = 'sk-plain-7Q2mX9wLr4Tb8ZkVn3';
  const cut: Answer = { status: 400, body: { error: { message: `${'x'.repeat(465)}${plain}` } } };
  const endpoint = await endpointFor(t, 'openai', [...answers, cut]);
  const world = await openWorld(t);
  // Not sent as a key, as it holds what no header takes; known all the same.
  await keep(world, 'CANARY', secret);
  await keep(world, 'PLAIN', plain);
  await world.createAgent({ name: 'a', provider: 'direct', model: 'm', api: 'openai', baseUrl: endpoint.baseUrl });
  for (let n = 0; n <= forms.length; n++) assert.equal((await world.ask('a', 'hello')).status, 'failed');
  const views = JSON.stringify([await world.sessions(), await world.call('GET', '/v1/secrets')]);
  for (const form of forms) assert.ok(!`${world.log}${views}`.includes(form.slice(0, 12)), form);
  assert.ok(world.log.includes('xxx[PLAIN]') && !world.log.includes('sk-plain'));
  assert.ok(world.log.split('[CANARY]').length - 1 === forms.length, world.log);
  await world.createAgent({ name: 'm' });
  const blamed = await world.ask('m', `@fail fatal it was ${secret}`);
  assert.match(JSON.stringify([blamed.error, blamed.notices]), /it was \[CANARY\].*it was \[CANARY\]/);
  assert.ok(!JSON.stringify(blamed).includes(secret.slice(0, 7)));
  const wrong = await world.call<ApiError>('GET', `/v1/agents/${encodeURIComponent(secret)}`);
  assert.equal(wrong.body.error, 'no agent named [CANARY]');
});

test('a key goes in the clear to this machine and its private network only', async (t) => {
  const world = await openWorld(t);
  const model = { provider: 'direct', model: 'm', sandbox: 'process', key: 'MY_KEY' };
  const bad = ['http://example.com/v1', 'http://8.8.8.8', 'http://[2001:db8::1]:80', 'http://localhost.example.com'];
  const good = [
    'https://example.com/v1',
    'http://127.0.0.1:1/v1',
    'http://localhost:1',
    'http://[::1]:1',
    'http://192.168.1.2',
    'http://10.1.2.3',
    'http://172.31.0.1',
    'http://[fd00::1]',
    'http://nas.local',
  ];
  for (const baseUrl of ['http://172.32.0.1', 'http://169.254.169.254', 'http://[::ffff:8.8.8.8]', ...bad]) {
    const { status, body } = await world.call<ApiError>('POST', '/v1/agents', { name: 'a', ...model, baseUrl });
    assert.deepEqual(
      [status, body.error],
      [400, 'the base URL would carry the secret MY_KEY in the clear beyond this network'],
      baseUrl,
    );
  }
  for (const [n, baseUrl] of good.entries())
    await world.createAgent({ name: `g${n}`, ...model, baseUrl, sandbox: 'process' });
  await world.createAgent({ name: 'plain', provider: 'direct', model: 'm', baseUrl: 'http://example.com' });
  for (const patch of [{ key: 'MY_KEY' }, { key: 'MY_KEY', baseUrl: 'http://8.8.8.8' }]) {
    assert.equal((await world.call('PATCH', '/v1/agents/plain', patch)).status, 400);
  }
  const models = await world.call('POST', '/v1/models', { api: 'openai', baseUrl: bad[0], key: 'MY_KEY' });
  assert.equal(models.status, 400);
});

test('a value in a request that is refused is in no answer and no log', async (t) => {
  const world = await openWorld(t);
  const value = 'sk-typed-in-the-wrong-place';
  const tries: [method: string, path: string, body?: unknown][] = [
    ['PUT', '/v1/secrets/lower', { value }],
    ['PUT', `/v1/secrets/${value}`, { value }],
    ['PUT', '/v1/secrets/A', { value: `${value}\nmore` }],
    ['PUT', '/v1/secrets/A', { value: [value] }],
    ['PUT', '/v1/secrets/A', { secret: value }],
    ['PUT', '/v1/secrets/A', `{"value": "${value}`],
    ['PUT', '/v1/secrets/A', value],
    ['PUT', '/v1/secrets/A', { value: value.repeat(10_000) }],
    ['DELETE', `/v1/secrets/${value}`],
    ['POST', '/v1/agents', { name: 'a', provider: 'direct', model: 'm', key: value }],
    ['POST', '/v1/models', { api: 'openai', key: value }],
  ];
  for (const [method, path, body] of tries) {
    const answer = await world.call<ApiError>(method, path, body);
    assert.equal(answer.status, 400, `${method} ${path}`);
    assert.ok(!JSON.stringify(answer.body).includes(value), JSON.stringify(answer.body));
  }
  assert.deepEqual((await world.call('GET', '/v1/secrets')).body, []);
  assert.ok(!world.log.includes(value), world.log);
});

test('a spoiled key file: the host runs, agents without a secret answer, the others say what to do', async (t) => {
  const endpoint = await endpointFor(t, 'openai', [said('back')]);
  const world = await openWorld(t);
  await keep(world, 'MY_KEY', 'sk-some-value');
  const model = { provider: 'direct', model: 'm', api: 'openai', baseUrl: endpoint.baseUrl } as const;
  await world.createAgent({ name: 'a', ...model, key: 'MY_KEY' });
  await world.createAgent({ name: 'b' });
  const keyFile = join(world.home, 'secrets.key');
  const good = readFileSync(keyFile);
  chmodSync(keyFile, 0o644);
  await world.restart('SIGTERM');
  assert.equal(await world.reply('b', '@reply here'), 'here');
  const failed = await world.ask('a', 'hello');
  assert.match(failed.error ?? '', /the secret MY_KEY cannot be opened with the key in .*secrets\.key/);
  assert.match(failed.next ?? '', /halfdoor secrets set MY_KEY/);
  const refused = await world.call<ApiError>('PUT', '/v1/secrets/MY_KEY', { value: 'sk-some-value' });
  assert.deepEqual([refused.status, refused.body.next], [503, `Run: chmod 600 ${keyFile}`]);
  rmSync(keyFile);
  writeFileSync(keyFile, Buffer.alloc(good.length, 7), { mode: 0o600 });
  await world.restart('SIGTERM');
  assert.match((await world.ask('a', 'hello')).error ?? '', /MY_KEY cannot be opened/);
  await keep(world, 'MY_KEY', 'sk-set-again');
  assert.equal(await world.reply('a', 'hello'), 'back');
  assert.deepEqual(keysIn(endpoint), ['Bearer sk-set-again']);
});

test('secrets are listed without values, with where they are from and who is given them; deeds are noted', async (t) => {
  const world = await openWorld(t, { OPENAI_API_KEY: 'sk-of-the-environment', SOME_OTHER_KEY: 'not-looked-at' });
  await keep(world, 'MY_KEY', 'sk-kept-value');
  await world.createAgent({ name: 'a', provider: 'direct', model: 'gpt-x' });
  await world.createAgent({ name: 'b', provider: 'direct', model: 'gpt-x', key: 'MY_KEY' });
  const { body } = await world.call<SecretView[]>('GET', '/v1/secrets');
  assert.deepEqual(
    body.map(({ name, from, usedBy, updatedAt }) => [name, from, usedBy, updatedAt !== null]),
    [
      ['MY_KEY', 'kept', ['b'], true],
      ['OPENAI_API_KEY', 'environment', ['a'], false],
    ],
  );
  await world.call('DELETE', '/v1/secrets/MY_KEY');
  await world.end('SIGTERM');
  const central = new DatabaseSync(join(world.home, 'central.db'), { readOnly: true });
  const audit = central.prepare('select actor, action, target from audit order by id').all();
  central.close();
  const actor = `local:${process.getuid?.()}`;
  assert.deepEqual(
    audit.map((row) => ({ ...row })),
    [
      { actor, action: 'set_secret', target: 'MY_KEY' },
      { actor, action: 'remove_secret', target: 'MY_KEY' },
    ],
  );
});
