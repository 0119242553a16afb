/** The host is killed with twenty sessions at work or waiting for their turn. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { LIMITS } from '@halfdoor/protocol/limits';
import { appears } from '../world/appears.ts';
import { openWorld } from '../world/host.ts';

const NAMES = Array.from({ length: 20 }, (_, n) => `agent${n}`);
const AT_WORK = NAMES.slice(0, LIMITS.awakeSandboxes);
const QUEUED = NAMES.slice(LIMITS.awakeSandboxes);
/** The turn that is taken up again has it behind it. */
const BUSY_ONCE = '@shell test -e busy || { touch busy; sleep 600; }';

test('killed with twenty sessions open: it is ready again at once, and each is answered once', async (t) => {
  const world = await openWorld(t);
  for (const name of NAMES) await world.createAgent({ name });
  const before = NAMES.map((name) => world.chat(name));
  const ids = new Map<string, string>();
  for (const [n, name] of AT_WORK.entries()) {
    ids.set(name, await world.send(name, `${BUSY_ONCE}\n@reply answer ${n}`));
    await appears(join((await world.session(name)).folder, 'work'), 'busy');
  }
  for (const name of QUEUED) ids.set(name, await world.send(name, `@reply answer ${NAMES.indexOf(name)}`));
  assert.equal((await world.status()).sessions.waiting, QUEUED.length);
  await world.end('SIGKILL');
  for (const chat of before) chat.close();
  const began = performance.now();
  await world.start();
  t.diagnostic(`ready after ${(performance.now() - began).toFixed(0)} ms`);
  const chats = NAMES.map((name) => world.chat(name));
  for (const [n, name] of NAMES.entries()) {
    assert.equal((await world.settled(ids.get(name) ?? '', 120_000)).status, 'answered');
    await chats[n]?.until(() => (chats[n]?.texts.includes(`answer ${n}`) ? true : undefined));
    const texts = [before[n], chats[n]].flatMap((chat) => chat?.texts ?? []);
    assert.equal(texts.filter((text) => text === `answer ${n}`).length, 1, name);
  }
  t.diagnostic(`all answered after ${(performance.now() - began).toFixed(0)} ms`);
  assert.equal((await world.status()).open.messages, 0);
  for (const chat of chats) chat.close();
});
