// needs: userns
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import {
  newestMessage,
  openModelEndpoint,
  type Answer,
  type Api,
  type Asked,
  type ModelEndpoint,
} from '../fakes/model-endpoint.ts';
import { bring, filesOf } from '../world/files.ts';
import { openWorld, type World } from '../world/host.ts';
import { killOne } from '../world/kill.ts';

type Stage = { world: World; endpoint: ModelEndpoint };

async function stage(t: TestContext, api: Api, answers: Answer[], onAsked?: (asked: Asked) => void): Promise<Stage> {
  const endpoint = await openModelEndpoint(api, answers, onAsked);
  t.after(() => endpoint.close());
  const world = await openWorld(t, { ANTHROPIC_API_KEY: 'key-a', OPENAI_API_KEY: 'key-o' });
  const { baseUrl } = endpoint;
  const key = api === 'anthropic' ? 'ANTHROPIC_API_KEY' : 'OPENAI_API_KEY';
  const model = { provider: 'direct', model: 'some-model', baseUrl, api, key };
  await world.createAgent({ name: 'a', ...model, sandbox: 'bubblewrap' });
  return { world, endpoint };
}

const say = (text: string): Answer => ({ text: `<internal>hm</internal><message to="terminal">${text}</message>` });

for (const api of ['anthropic', 'openai'] as const) {
  test(`${api}: a shell call is made inside, its output goes back, the answer comes out`, async (t) => {
    const { world, endpoint } = await stage(t, api, [
      { tool: 'shell', input: { command: 'echo from-$((40+2)); id -u; basename $PWD' } },
      say('the answer is 42'),
    ]);
    assert.equal(await world.reply('a', 'what is it?'), 'the answer is 42');
    assert.equal(endpoint.asked.length, 2);
    assert.match(JSON.stringify(endpoint.asked[1]?.body.messages), /from-42\\n1000\\nwork/);
    assert.match(JSON.stringify(endpoint.asked[0]?.body), /what is it\?/);
    const { headers, path } = endpoint.asked[0] ?? {};
    assert.equal(path, api === 'anthropic' ? '/v1/messages' : '/v1/chat/completions');
    assert.equal(
      api === 'anthropic' ? headers?.['x-api-key'] : headers?.authorization,
      api === 'anthropic' ? 'key-a' : 'Bearer key-o',
    );
  });

  test(`${api}: what is addressed before a tool is called is sent, and the answer after it, too`, async (t) => {
    const before = 'Hm.\n<message to="terminal">I look it up.</message><message to="nobody">x</message>';
    const { world } = await stage(t, api, [
      { before, tool: 'shell', input: { command: 'echo 42' } },
      say('it is 42'),
      { before, tool: 'shell', input: { command: 'echo done' } },
      { text: '' },
      { before, tool: 'shell', input: { command: 'echo 43' } },
      { text: 'it is 43' },
      say('it is 43'),
    ]);
    assert.equal(await world.reply('a', 'what is it?'), 'I look it up.\nit is 42');
    assert.equal(await world.reply('a', 'do it'), 'I look it up.');
    // Words that are addressed to nobody are asked for again, whatever was sent before.
    assert.equal(await world.reply('a', 'and now?'), 'I look it up.\nit is 43');
  });

  test(`${api}: the conversation goes on in the next turn, and after the sandbox was killed`, async (t) => {
    const { world, endpoint } = await stage(t, api, [say('one'), say('two'), say('three')]);
    await world.reply('a', 'my name is Ada');
    assert.equal(await world.reply('a', 'and again'), 'two');
    killOne((await world.session('a')).pid, 'SIGKILL');
    assert.equal(await world.reply('a', 'who am I?'), 'three');
    const last = JSON.stringify(endpoint.asked[2]?.body.messages);
    for (const known of ['my name is Ada', 'one', 'and again', 'two', 'who am I?'])
      assert.ok(last.includes(known), known);
  });

  test(`${api}: files are written and read, a bad call and an unknown tool are told to the model`, async (t) => {
    const { world, endpoint } = await stage(t, api, [
      { tool: 'write', input: { path: 'notes/a.txt', content: 'kept' } },
      { tool: 'read', input: { path: 'notes/a.txt' } },
      { tool: 'read', input: { path: '/dev/zero' } },
      { tool: 'fly', input: {} },
      { tool: 'shell', input: '{"command": ' },
      { tool: 'send_message', input: { to: 'terminal', text: 'on the way' } },
      say('done'),
    ]);
    assert.equal(await world.reply('a', 'go'), 'on the way\ndone');
    const told = (n: number): string => newestMessage(endpoint, n);
    assert.match(told(1), /wrote 4 bytes/);
    assert.match(told(2), /kept/);
    assert.match(told(3), /not a regular file/);
    assert.match(told(4), /no tool named fly|does not fit/);
    assert.match(told(5), /not a JSON object|does not fit/);
    assert.match(told(6), /sent as #/);
  });

  test(`${api}: what fails in passing is asked again, and no tool runs twice for it`, async (t) => {
    const { world, endpoint } = await stage(t, api, [
      { status: 529, body: { type: 'error', error: { type: 'overloaded_error', message: 'busy' } } },
      { tool: 'shell', input: { command: 'echo x >> ran; wc -l < ran' } },
      { breaksOff: true },
      { status: 500, body: {} },
      say('there'),
    ]);
    assert.equal(await world.reply('a', 'go'), 'there');
    assert.equal(endpoint.asked.length, 5);
    assert.match(JSON.stringify(endpoint.asked[4]?.body.messages), /"1\b/);
  });

  for (const [name, answer, expected] of [
    ['a refused key', { status: 401, body: { error: { message: 'bad key sk-secret' } } }, /refused the key/],
    [
      'a conversation past the context',
      { status: 400, body: { error: { message: 'prompt is too long: 210000 tokens > 200000 maximum' } } },
      /longer than the model can take in.*\/new/,
    ],
    ['an unknown model', { status: 404, body: { error: { message: 'no such model' } } }, /does not know this model/],
  ] as const) {
    test(`${api}: ${name} is a clear error, at once`, async (t) => {
      const { world, endpoint } = await stage(t, api, [answer]);
      const view = await world.ask('a', 'hello');
      assert.equal(view.status, 'failed');
      assert.match(view.error ?? '', expected);
      assert.ok(!JSON.stringify(view).includes('sk-secret'));
      assert.equal(endpoint.asked.length, 1);
    });
  }
}

for (const api of ['anthropic', 'openai'] as const) {
  test(`${api}: no quota left is no failure of the message: one request, one word to the person, and it waits`, async (t) => {
    const { world, endpoint } = await stage(t, api, [
      { status: 429, body: { error: { code: 'insufficient_quota', message: 'account sk-secret' } } },
    ]);
    const chat = world.chat('a');
    await world.send('a', 'hello');
    const told = await chat.until((events) => events.find((it) => it.type === 'message' && it.notice));
    assert.match(told.type === 'message' ? told.text : '', /^The model's quota is used up.*Your message waits/);
    assert.ok(!JSON.stringify(chat.events).includes('sk-secret'));
    assert.equal(endpoint.asked.length, 1);
    chat.close();
  });
}

test('what is said while the model thinks is in its next request, or in the next turn', async (t) => {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const first = Promise.withResolvers<void>();
  const { world, endpoint } = await stage(
    t,
    'openai',
    [{ after: released, text: '<message to="terminal">first</message>' }, say('second')],
    () => first.resolve(),
  );
  const one = await world.send('a', 'one');
  await first.promise;
  const two = await world.send('a', 'two');
  release();
  assert.equal((await world.settled(one)).replies[0]?.text, 'first');
  assert.equal((await world.settled(two)).replies[0]?.text, 'second');
  assert.match(JSON.stringify(endpoint.asked[1]?.body.messages), /two/);
});

test('/stop ends a request that hangs', async (t) => {
  const asked = Promise.withResolvers<void>();
  const never = new Promise<void>(() => undefined);
  const { world } = await stage(t, 'anthropic', [{ after: never, text: '' }, say('back')], () => asked.resolve());
  const id = await world.send('a', 'hang');
  await asked.promise;
  await world.ask('a', '/stop');
  assert.match((await world.settled(id)).error ?? '', /stopped/);
  assert.equal(await world.reply('a', 'again'), 'back');
});

test('what comes with a message is named to the model with its path, and read there; what it makes of it is sent', async (t) => {
  const { world, endpoint } = await stage(t, 'anthropic', [
    { tool: 'shell', input: { command: 'tr a-z A-Z < "$(ls /s/in/files/*/note.txt)" > loud.txt' } },
    { tool: 'send_file', input: { to: 'terminal', path: 'loud.txt', caption: 'louder' } },
    say('done'),
  ]);
  const view = await bring(world, 'a', 'make it loud', [{ name: 'note.txt', content: 'as it came' }]);
  const path = `/s/in/files/${view.id}/note.txt`;
  const attachment = `<attachment name="note.txt" type="text/plain" bytes="10" path="${path}"/>`;
  assert.ok(newestMessage(endpoint, 0).includes(JSON.stringify(attachment).slice(1, -1)), newestMessage(endpoint, 0));
  assert.deepEqual(
    view.replies.map((it) => it.text),
    ['louder', 'done'],
  );
  assert.equal(readFileSync(filesOf(view)[0]?.path ?? '', 'utf8'), 'AS IT CAME');
});
