import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openModelEndpoint } from '../fakes/model-endpoint.ts';
import { openWorld } from '../world/host.ts';

const said = (text: string) => ({ text: `<message to="terminal">${text}</message>` });

test("an endpoint of somebody's own is given no key unless one is named", async (t) => {
  for (const api of ['openai', 'anthropic'] as const) {
    const endpoint = await openModelEndpoint(api, [said('one')]);
    t.after(() => endpoint.close());
    const world = await openWorld(t, { OPENAI_API_KEY: 'sk-openai-1', ANTHROPIC_API_KEY: 'sk-ant-1' });
    await world.createAgent({ name: 'a', provider: 'direct', model: 'm', api, baseUrl: endpoint.baseUrl });
    assert.equal(await world.reply('a', 'hello'), 'one');
    const { headers } = endpoint.asked[0] ?? {};
    assert.deepEqual([headers?.authorization, headers?.['x-api-key']], [undefined, undefined]);
  }
});
