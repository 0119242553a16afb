// needs: userns
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { ChatEvent } from '../../host/api/contract.ts';
import { openModelEndpoint, type Answer, type Api, type ModelEndpoint } from '../fakes/model-endpoint.ts';
import { openWorld, type Chat, type World } from '../world/host.ts';
import { killOne } from '../world/kill.ts';

type Stage = { world: World; endpoint: ModelEndpoint; chat: Chat; waits(): Promise<void> };

async function stage(t: TestContext, api: Api, answers: Answer[]): Promise<Stage> {
  const asked = Promise.withResolvers<void>();
  const endpoint = await openModelEndpoint(api, answers, () => asked.resolve());
  t.after(() => endpoint.close());
  const world = await openWorld(t, { ANTHROPIC_API_KEY: 'key-a', OPENAI_API_KEY: 'key-o' });
  const { baseUrl } = endpoint;
  await world.createAgent({ name: 'a', provider: 'direct', model: 'slow', baseUrl, api, sandbox: 'bubblewrap' });
  const chat = world.chat('a');
  t.after(() => chat.close());
  const isWaiting = (it: ChatEvent): boolean => it.type === 'progress' && it.state === 'waiting';
  /** Until the model was asked, and the person who waits was told so. */
  const waits = async (): Promise<void> => {
    await asked.promise;
    await chat.until((events) => events.find(isWaiting));
  };
  return { world, endpoint, chat, waits };
}

const NEVER = new Promise<void>(() => undefined);
const says = (text: string): string => `<internal>hm</internal><message to="terminal">${text}</message>`;
for (const api of ['anthropic', 'openai'] as const) {
  test(`${api}: who waits for the first word is told so; then it is seen as it comes, and nothing is lost`, async (t) => {
    const [spoken, seen] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const text = 'there you are, '.repeat(40).trim();
    const { world, chat, endpoint, waits } = await stage(t, api, [
      { silentUntil: spoken.promise, restAfter: seen.promise, text: says(text) },
    ]);
    const id = await world.send('a', 'are you there?');
    await waits();
    assert.ok(!chat.events.some((it) => it.type === 'partial' || it.type === 'message'));
    assert.equal((await world.status()).open.messages, 1);
    const told = chat.events.filter((it) => it.type === 'progress').at(-1);
    assert.equal(told?.state, 'waiting', 'headers alone are no answer');
    spoken.resolve();
    await chat.until((events) => events.find((it) => it.type === 'partial'));
    seen.resolve();
    assert.equal((await world.settled(id)).replies[0]?.text, text);
    const states = chat.events.flatMap((it) => (it.type === 'progress' ? [it.state] : []));
    assert.ok(states.indexOf('writing') > states.indexOf('waiting'), states.join(' '));
    const pieces = chat.events.flatMap((it) => (it.type === 'partial' ? [it.text] : [])).join('');
    assert.ok(pieces !== '' && text.startsWith(pieces), pieces);
    assert.equal(endpoint.asked.length, 1);
  });

  test(`${api}: /stop ends the wait for a model that says nothing; what comes next is answered`, async (t) => {
    const { world, waits } = await stage(t, api, [
      { silentUntil: NEVER, restAfter: NEVER, text: '' },
      { text: says('back') },
    ]);
    const id = await world.send('a', 'hang');
    await waits();
    await world.ask('a', '/stop');
    assert.match((await world.settled(id)).error ?? '', /stopped/);
    assert.equal(await world.reply('a', 'again'), 'back');
  });
}

test('a sandbox that dies while the model is silent: it is asked again, and answered', async (t) => {
  const { world, endpoint, waits } = await stage(t, 'openai', [
    { silentUntil: NEVER, restAfter: NEVER, text: '' },
    { text: says('after all') },
  ]);
  const id = await world.send('a', 'are you there?');
  await waits();
  killOne((await world.session('a')).pid, 'SIGKILL');
  assert.equal((await world.settled(id)).replies[0]?.text, 'after all');
  assert.equal(endpoint.asked.length, 2);
});
