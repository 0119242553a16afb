import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Receiver } from '../fakes/receiver.ts';
import { openWorld, type World } from '../world/host.ts';
import { addProgram, freePort, type Program } from '../world/program.ts';

async function stage(t: TestContext): Promise<{ world: World; program: Program; port: number }> {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const port = await freePort();
  const program = await addProgram(world, { chat: 'ops', agent: 'a', port });
  return { world, program, port };
}

test('a program sends a message and reads the reply', async (t) => {
  const { program } = await stage(t);
  const events = program.events();
  await events.opened;
  const id = await program.say('@reply hello');
  await events.until(({ said }) => said.length === 1);
  const view = await program.settled(id);
  assert.equal(view.status, 'answered');
  assert.deepEqual(
    view.replies.map((it) => it.text),
    ['hello'],
  );
  const [it] = events.said;
  assert.deepEqual(
    [it?.text, it?.from, it?.chat, it?.notice, it?.mayBeDuplicate, it?.answers],
    ['hello', 'a', 'ops', false, false, [id]],
  );
  events.close();
});

test('with a callback replies are posted there, signed, with their delivery as key', async (t) => {
  const receiver = await Receiver.open();
  t.after(() => receiver.close());
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const input = { chat: 'ops', agent: 'a', port: await freePort(), callback: receiver.url('ops') };
  const program = await addProgram(world, input);
  await receiver.tell({ do: 'know', name: 'ops', secret: program.signing });
  const id = await program.say('@reply hello');
  await receiver.until(({ got }) => got.length === 1);
  const [got] = receiver.got;
  assert.ok(got?.signed);
  assert.deepEqual([got.body.text, got.body.delivery, got.body.answers], ['hello', got.id, [id]]);
  assert.equal(got.key, got.id);
});
