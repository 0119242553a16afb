import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inSession, SLOW, STOP } from './world.ts';

const send = '@tool send_message {"to":"home","text":"step one"}';
/** Kills its own run, the first time only. */
const DIE_ONCE = '@shell [ -e died ] || { touch died; kill -9 $PPID; }';

for (const kind of ['auth', 'fatal']) {
  test(`${kind} is settled at once, with its reason`, () =>
    inSession(async (session) => {
      session.start(1);
      const ack = await session.acked(session.tell(`@fail ${kind} because of this`));
      assert.deepEqual([ack.status, ack.reason], ['failed', `${kind}: because of this`]);
      await session.acked(session.tell('@reply on'));
      assert.deepEqual(session.said, ['on']);
    }));
}

test('a used-up quota is no ack: the host is asked to let it wait, nothing more is asked of the model, /stop is heard', () =>
  inSession(async (session) => {
    session.start(1);
    const at = '2026-01-01T00:00:00.000Z';
    const id = session.tell(`${send}\n@fail quota at=${at} used up`);
    const row = await session.until(() => session.messages.find((it) => it.kind === 'action'));
    assert.deepEqual([row.action, row.input, row.answers], ['park', { resetsAt: at, reason: 'used up' }, [id]]);
    const behind = session.tell('@reply two');
    session.project(STOP);
    for (const it of [id, behind]) assert.equal((await session.acked(it)).reason, 'stopped');
    assert.deepEqual(session.said, ['step one']);
  }));

test('a failure in passing is tried again, then answered', () =>
  inSession(async (session) => {
    session.start(1);
    const ack = await session.acked(session.tell('@fail transient*2\n@reply there'));
    assert.equal(ack.status, 'done');
    assert.deepEqual(session.said, ['there']);
  }));

test('a failure that does not pass is settled after its last try, with its reason', SLOW, () =>
  inSession(async (session) => {
    session.start(1);
    const ack = await session.acked(session.tell(`${send}\n@fail transient the line is down`));
    assert.deepEqual([ack.status, ack.reason], ['failed', 'transient: the line is down']);
    assert.deepEqual(session.said, ['step one'], 'said once, not by each try');
    await session.acked(session.tell('@reply on'));
  }),
);

test('stop while a retry is waited for ends the waiting', () =>
  inSession(async (session) => {
    session.start(1);
    const id = session.tell(`${send}\n@fail transient`);
    await session.until(() => session.said.includes('step one'));
    session.project(STOP);
    assert.equal((await session.acked(id)).reason, 'stopped');
    await session.acked(session.tell('@reply on'));
    assert.deepEqual(session.said, ['step one', 'on']);
  }));

test('a failure settles what the provider has seen, and what was pushed is answered', () =>
  inSession(async (session) => {
    const began = session.pipe('began').heard();
    const gate = session.pipe('gate');
    session.start(1);
    const first = session.tell('@shell echo > began; cat gate\n@fail fatal broken');
    await began;
    const second = session.tell('@reply two');
    gate.open();
    assert.deepEqual((await session.acked(first)).reason, 'fatal: broken');
    assert.equal((await session.acked(second)).status, 'done');
    assert.deepEqual(session.said, ['two']);
  }));

test('a session the provider no longer knows is begun afresh, and the message is kept', () =>
  inSession(async (session) => {
    const first = session.start(1);
    await session.acked(session.tell('@reply before'));
    first.child.kill('SIGTERM');
    await first.exit;
    const before = session.continuation(2);
    const second = session.start(3);
    await session.acked(session.tell('@reply again'));
    assert.equal((await session.acked(session.tell('@fail invalid-session\n@reply after'))).status, 'done');
    second.child.kill('SIGTERM');
    await second.exit;
    const after = session.continuation(4);
    assert.deepEqual(session.said, ['before', 'again', 'after']);
    assert.ok(before !== null && after !== null && before !== after, `${before}, then ${after}`);
  }));

test('a run goes on with the session of the run before it', () =>
  inSession(async (session) => {
    const seen: (string | null)[] = [];
    for (const run of [1, 3]) {
      const { child, exit } = session.start(run);
      await session.acked(session.tell('hello'));
      child.kill('SIGTERM');
      await exit;
      seen.push(session.continuation(run + 1));
    }
    assert.ok(seen[0] !== null && seen[0] === seen[1], String(seen));
  }));

test('a provider that knows the fresh session no better has failed', () =>
  inSession(async (session) => {
    session.start(1);
    const ack = await session.acked(session.tell('@fail invalid-session*2 who are you\n@reply never'));
    assert.deepEqual([ack.status, ack.reason], ['failed', 'invalid-session: who are you']);
    assert.deepEqual(session.said, []);
  }));

test('what a failed try had sent is not sent again by the next try', () =>
  inSession(async (session) => {
    session.start(1);
    await session.acked(session.tell(`${send}\n@fail transient*2\n@reply done`));
    assert.deepEqual(session.said, ['step one', 'already sent as #3', 'done']);
  }));

test('what a killed run had sent is not sent again; a second equal one of the new run is', () =>
  inSession(async (session) => {
    const first = session.start(1);
    const id = session.tell(`${send}\n${DIE_ONCE}\n${send}\n@reply done`);
    assert.equal((await first.exit).signal, 'SIGKILL');
    session.read();
    assert.deepEqual([session.said, session.acks], [['step one'], []]);
    session.start(2);
    const ack = await session.acked(id);
    assert.deepEqual([ack.status, ack.run], ['done', 2]);
    const answer = ['already sent as #3', '(no output)', 'sent as #5', 'done'];
    assert.deepEqual(session.said, ['step one', 'step one', ...answer]);
    assert.deepEqual(
      session.messages.map((it) => it.answers),
      session.messages.map(() => [id]),
    );
  }));

test('what a killed run had said to one message is said again to another', () =>
  inSession(async (session) => {
    const first = session.start(1);
    const id = session.tell(`${send}\n${DIE_ONCE}`);
    await first.exit;
    session.start(2);
    await session.acked(id);
    await session.acked(session.tell(send));
    assert.equal(session.said.filter((text) => text === 'step one').length, 2);
  }));

test('what was settled before a kill is not answered again', () =>
  inSession(async (session) => {
    const first = session.start(1);
    const settled = session.tell('@reply one');
    await session.acked(settled);
    const open = session.tell(`${DIE_ONCE}\n@reply two`);
    await first.exit;
    session.start(2);
    assert.equal((await session.acked(open)).run, 2);
    assert.deepEqual(session.said, ['one', '(no output)', 'two']);
    assert.equal(session.acks.filter((it) => it.messageId === settled).length, 1);
  }));

test('@die kills the run with SIGKILL, each time, and leaves its message open', () =>
  inSession(async (session) => {
    session.tell('@die');
    for (const run of [1, 2]) assert.equal((await session.start(run).exit).signal, 'SIGKILL');
    session.read();
    assert.deepEqual(session.acks, []);
  }));
