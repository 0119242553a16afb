import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { ApiError, CheckView, ModelsView } from '../../host/api/contract.ts';
import { openModelEndpoint, type Answer } from '../fakes/model-endpoint.ts';
import { openWorld, type World } from '../world/host.ts';

const KEY = 'sk-a-kept-value-1';

async function worldWithKey(t: TestContext): Promise<World> {
  const world = await openWorld(t);
  await world.call('PUT', '/v1/secrets/MY_KEY', { value: KEY });
  return world;
}

async function endpointFor(t: TestContext, api: 'anthropic' | 'openai', answers: Answer[]) {
  const endpoint = await openModelEndpoint(api, answers);
  t.after(() => endpoint.close());
  return endpoint;
}

/** A server that says what no model endpoint would. */
async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const models = <T = ModelsView>(world: World, input: object) => world.call<T>('POST', '/v1/models', input);

test('models are listed newest first, asked for as each protocol wants it', async (t) => {
  const world = await worldWithKey(t);
  const anthropic = await endpointFor(t, 'anthropic', [
    {
      status: 200,
      body: {
        data: [
          { type: 'model', id: 'claude-old', created_at: '2024-02-29T00:00:00Z' },
          { type: 'model', id: 'claude-new', created_at: '2026-05-01T00:00:00Z' },
        ],
        has_more: false,
      },
    },
  ]);
  const one = await models(world, { api: 'anthropic', baseUrl: anthropic.baseUrl, key: 'MY_KEY' });
  assert.deepEqual(one.body.models, [
    { id: 'claude-new', createdAt: '2026-05-01T00:00:00.000Z' },
    { id: 'claude-old', createdAt: '2024-02-29T00:00:00.000Z' },
  ]);
  const asked = anthropic.asked[0];
  assert.equal(asked?.path, '/v1/models?limit=200');
  assert.deepEqual([asked?.headers['x-api-key'], asked?.headers['anthropic-version']], [KEY, '2023-06-01']);

  const many = Array.from({ length: 300 }, (_, n) => ({ id: `m${n}`, object: 'model', created: 1_700_000_000 + n }));
  const odd = [{ id: 7 }, null, 'text', { id: '' }, { id: 'x'.repeat(201) }, { id: 'undated', created: 0 }];
  const openai = await endpointFor(t, 'openai', [
    { status: 200, body: { object: 'list', data: [...odd, ...many] } },
    { status: 200, body: { data: odd } },
  ]);
  const two = await models(world, { api: 'openai', baseUrl: openai.baseUrl, key: 'MY_KEY' });
  assert.equal(two.body.models.length, 200);
  assert.deepEqual(two.body.models[0], { id: 'm299', createdAt: new Date(1_700_000_299_000).toISOString() });
  const three = await models(world, { api: 'openai', baseUrl: openai.baseUrl });
  assert.deepEqual(three.body.models, [{ id: 'undated', createdAt: null }]);
  assert.deepEqual(
    openai.asked.map(({ path, headers }) => [path, headers.authorization]),
    [
      ['/v1/models', `Bearer ${KEY}`],
      ['/v1/models', undefined],
    ],
  );
});

test('an endpoint that gives no list: the cause in words, and what to do', async (t) => {
  const world = await worldWithKey(t);
  const refused = { status: 401, body: { error: { message: `invalid key ${KEY}` } } };
  const endpoint = await endpointFor(t, 'openai', [
    refused,
    refused,
    { status: 404, body: {} },
    { status: 500, body: {} },
  ]);
  const large = await serve(t, (_request, answer) => answer.end(Buffer.alloc(2 * 1024 * 1024, 'x')));
  const page = await serve(t, (_request, answer) => answer.end('<html>'));
  const other = await serve(t, (_request, answer) => answer.end('{"models": []}'));
  const cuts = await serve(t, (request) => request.socket.destroy());
  const cases: [input: object, status: number, error: RegExp, next: RegExp][] = [
    [{ baseUrl: endpoint.baseUrl, key: 'MY_KEY' }, 503, /refused the key in the secret MY_KEY/, /secrets set MY_KEY/],
    [{ baseUrl: endpoint.baseUrl }, 503, /wants a key and is given none/, /--key NAME/],
    [{ baseUrl: endpoint.baseUrl }, 503, /\/v1\/models is no list of models/, /usually ends with \/v1/],
    [{ baseUrl: endpoint.baseUrl }, 503, /overloaded or failing/, /Check the endpoint/],
    [{ baseUrl: 'http://127.0.0.1:1' }, 503, /nothing listens at 127\.0\.0\.1:1/, /Check the endpoint/],
    [{ baseUrl: large }, 503, /answered with over 1048576 bytes/, /./],
    [{ baseUrl: page }, 503, /is no list of models/, /./],
    [{ baseUrl: other }, 503, /is no list of models/, /./],
    [{ baseUrl: cuts }, 503, /broke off/, /./],
    [{ baseUrl: large.replace('http:', 'https:') }, 503, /does not speak https|broke off/, /./],
    [{}, 503, /there is no secret OPENAI_API_KEY/, /secrets set OPENAI_API_KEY/],
    [{ key: null }, 503, /public endpoint wants a key and is given none/, /./],
    [{ baseUrl: endpoint.baseUrl, key: 'lower' }, 400, /secret's name/, /./],
    [{ api: 'frob' }, 400, /no protocol/, /./],
    [{ baseUrl: 'file:///etc/passwd' }, 400, /base URL/, /./],
  ];
  for (const [input, status, error, next] of cases) {
    const answer = await models<ApiError>(world, { api: 'openai', ...input });
    assert.equal(answer.status, status, `${JSON.stringify(input)} ${JSON.stringify(answer.body)}`);
    assert.match(answer.body.error, error);
    assert.match(answer.body.next, next);
  }
  assert.ok(!world.log.includes(KEY));
  assert.match(world.log, /invalid key \[MY_KEY\]/);
});

test('a check is one real call for one token, with the key and the words of a run', async (t) => {
  const world = await worldWithKey(t);
  const ok: Answer = { status: 200, body: {} };
  const claude = await endpointFor(t, 'anthropic', [
    ok,
    { status: 404, body: { error: { message: 'no such model' } } },
  ]);
  const gpt = await endpointFor(t, 'openai', [
    {
      status: 400,
      body: { error: { message: "'max_tokens' is not supported. Use 'max_completion_tokens' instead." } },
    },
    { status: 400, body: { error: { message: 'max_tokens or model output limit was reached' } } },
    { status: 401, body: { error: { message: 'no' } } },
    { status: 429, body: { error: { code: 'insufficient_quota' } } },
    { status: 400, body: { error: { message: 'nothing like that' } } },
  ]);
  const agent = { provider: 'direct', model: 'm', key: 'MY_KEY' };
  await world.createAgent({ name: 'claude', ...agent, api: 'anthropic', baseUrl: claude.baseUrl });
  await world.createAgent({ name: 'gpt', ...agent, api: 'openai', baseUrl: gpt.baseUrl });
  await world.createAgent({ name: 'mock' });
  const check = async (name: string): Promise<CheckView> =>
    (await world.call<CheckView>('POST', `/v1/agents/${name}/check`)).body;
  const fault = async (name: string): Promise<string> => {
    const view = await check(name);
    return view.ok ? '' : `${view.fault} | ${view.next}`;
  };
  assert.deepEqual(await check('mock'), { ok: true, ms: 0 });
  assert.equal((await check('claude')).ok, true);
  assert.match(await fault('claude'), /does not know this model.*agents get NAME/);
  const { path, headers, body } = claude.asked[0] ?? {};
  assert.deepEqual([path, headers?.['x-api-key'], headers?.['anthropic-version']], ['/v1/messages', KEY, '2023-06-01']);
  assert.deepEqual(body, { model: 'm', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 1 });
  assert.equal((await check('gpt')).ok, true);
  assert.match(await fault('gpt'), /refused the key in the secret MY_KEY.*secrets set MY_KEY/);
  assert.match(await fault('gpt'), /quota/);
  assert.match(await fault('gpt'), /refused the request/);
  assert.deepEqual(
    gpt.asked.map((it) => [it.body.max_tokens, it.body.max_completion_tokens]),
    [
      [1, undefined],
      [undefined, 1],
      [1, undefined],
      [1, undefined],
      [1, undefined],
    ],
  );
  await world.call('DELETE', '/v1/secrets/MY_KEY');
  assert.match(await fault('claude'), /there is no secret MY_KEY.*secrets set MY_KEY/);
  assert.equal((await world.sessions()).length, 0, 'no sandbox is started for it');
});
