import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inSession } from './world.ts';

for (const kind of ['quota', 'auth', 'fatal']) {
  test(`${kind} is settled at once, with its reason`, () =>
    inSession(async (session) => {
      session.start(1);
      const ack = await session.acked(session.tell(`@fail ${kind} because of this`));
      assert.deepEqual([ack.status, ack.reason], ['failed', `${kind}: because of this`]);
      await session.acked(session.tell('@reply on'));
      assert.deepEqual(session.said, ['on']);
    }));
}

test('a failure in passing is tried again, then answered', () =>
  inSession(async (session) => {
    session.start(1);
    const ack = await session.acked(session.tell('@fail transient*2\n@reply there'));
    assert.equal(ack.status, 'done');
    assert.deepEqual(session.said, ['there']);
  }));

test('a session the provider no longer knows is begun afresh, and the message is kept', () =>
  inSession(async (session) => {
    session.start(1);
    await session.acked(session.tell('@reply before'));
    assert.equal((await session.acked(session.tell('@fail invalid-session\n@reply after'))).status, 'done');
    assert.deepEqual(session.said, ['before', 'after']);
  }));

test('what a failed try had sent is not sent again by the next try', () =>
  inSession(async (session) => {
    session.start(1);
    const send = '@tool send_message {"to":"home","text":"step one"}';
    await session.acked(session.tell(`${send}\n@fail transient*2\n@reply done`));
    assert.equal(session.said.filter((text) => text === 'step one').length, 1);
    assert.match(session.said.at(-1) ?? '', /done/);
  }));

test('what a killed run had sent is not sent again; a second equal one of the new run is', () =>
  inSession(async (session) => {
    const send = '@tool send_message {"to":"home","text":"step one"}';
    const first = session.start(1);
    const id = session.tell(`${send}\n@sleep 60000`);
    await session.until(() => session.said.includes('step one'));
    first.child.kill('SIGKILL');
    await first.exit;
    session.start(2);
    session.project({ kind: 'control', control: { verb: 'stop' }, wakes: false, address: null });
    await session.acked(id);
    assert.equal(session.said.filter((text) => text === 'step one').length, 1);
    await session.acked(session.tell(send));
    assert.equal(session.said.filter((text) => text === 'step one').length, 2);
  }));

test('@die kills the run with SIGKILL, and leaves its message open', () =>
  inSession(async (session) => {
    const { exit } = session.start(1);
    session.tell('@die');
    assert.equal((await exit).signal, 'SIGKILL');
    await session.until(() => true);
    assert.deepEqual(session.acks, []);
  }));
