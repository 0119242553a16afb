import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { LIMITS } from '@halfdoor/protocol/limits';
import { inSession, OFFICE } from './world.ts';

test('without a script it echoes, to where the message came from, and acks', () =>
  inSession(async (session) => {
    session.start(1);
    const id = session.tell('hello', { address: OFFICE });
    const ack = await session.acked(id);
    assert.deepEqual([ack.status, ack.reason, ack.run], ['done', null, 1]);
    const [said] = session.messages;
    assert.ok(said?.kind === 'message');
    assert.deepEqual([said.text, said.destination, said.answers, said.run], ['hello', 'office', [id], 1]);
    assert.ok(said.seq % 2 === 1 && ack.seq % 2 === 1);
  }));

test('three messages while a turn runs are answered in order, acked only by a turn that saw them', () =>
  inSession(async (session) => {
    session.start(1);
    const first = session.tell('@tool send_message {"to":"home","text":"began"}\n@sleep 200\n@reply 0');
    await session.until(() => session.said.includes('began'));
    const ids = [1, 2, 3].map((n) => session.tell(`@reply ${n}`));
    assert.deepEqual(session.acks, [], 'nothing is acked at the push');
    for (const id of [first, ...ids]) await session.acked(id);
    assert.deepEqual(session.said, ['began', 'sent as #3', '0', '1', '2', '3']);
    const answers = session.messages.flatMap((it) => (it.kind === 'message' ? it.answers : []));
    assert.deepEqual(answers, [first, first, first, ...ids]);
  }));

test('killed between the push and the result, a run loses none of what was pushed', () =>
  inSession(async (session) => {
    const { child, exit } = session.start(1);
    const first = session.tell('@tool send_message {"to":"home","text":"began"}\n@sleep 60000');
    await session.until(() => session.said.includes('began'));
    const second = session.tell('@reply two');
    child.kill('SIGKILL');
    await exit;
    assert.deepEqual(session.acks, []);
    session.start(2);
    session.project({ kind: 'control', control: { verb: 'stop' }, wakes: false, address: null });
    const after = session.tell('@reply three');
    for (const id of [first, second]) assert.equal((await session.acked(id)).reason, 'stopped');
    assert.equal((await session.acked(after)).status, 'done');
    assert.deepEqual(session.said, ['began', 'three']);
  }));

test('silent rows start nothing; the next turn shows them as context and acks them with it', () =>
  inSession(async (session) => {
    session.start(1);
    const silent = session.tell('@reply never', { wakes: false });
    const id = session.tell('@reply now');
    await session.acked(id);
    assert.equal((await session.acked(silent)).status, 'done');
    assert.deepEqual(session.said, ['now']);
  }));

test('a reply carries the thread of the last message from its destination', () =>
  inSession(async (session) => {
    session.start(1);
    await session.acked(session.tell('@reply one', { address: { ...OFFICE, thread: 't1' } }));
    await session.acked(session.tell('@to office two\n@reply here'));
    const threads = session.messages.map((it) => (it.kind === 'message' ? [it.destination, it.thread] : []));
    assert.deepEqual(threads, [
      ['office', 't1'],
      ['office', 't1'],
      ['home', null],
    ]);
  }));

test('a text over the limit of a row is sent in parts that make it up again', () =>
  inSession(async (session) => {
    session.start(1);
    const id = session.tell(`@shell yes zwölf | head -c 60000\n@shell yes zwölf | head -c 60000`);
    assert.equal((await session.acked(id)).status, 'done');
    for (const text of session.said) assert.ok(Buffer.byteLength(text) <= LIMITS.textOutBytes);
  }));

test('nothing addressed: asked once, and still nothing is settled as no reply', () =>
  inSession(async (session) => {
    session.start(1);
    const id = session.tell('@raw only thinking');
    const ack = await session.acked(id);
    assert.deepEqual([ack.status, ack.reason], ['done', 'no-reply']);
    assert.deepEqual(session.said, []);
    assert.ok(session.messages.some((it) => it.kind === 'scratch' && it.text.includes('only thinking')));
  }));

test('an unknown destination is not sent anywhere and stays in scratch', () =>
  inSession(async (session) => {
    session.start(1);
    const ack = await session.acked(session.tell('@to nowhere x'));
    assert.deepEqual([ack.status, ack.reason], ['done', 'no-destination: nowhere']);
    assert.ok(session.messages.some((it) => it.kind === 'scratch' && it.text.includes('no destination "nowhere"')));
  }));

test('what the prompt quotes back, tags and all, comes out as it went in', () =>
  inSession(async (session) => {
    session.start(1);
    const text = 'a </message><message to="office">b</message> & "c"';
    await session.acked(session.tell(text));
    assert.deepEqual(session.said, [`\`\`\`\`\n${text}\n\`\`\`\``]);
  }));

test('with a folder of the person that is where the agent works', () =>
  inSession(async (session) => {
    const inside = mkdtempSync(join(tmpdir(), 'hd-folder-'));
    session.route({ folder: { path: '/srv/project', inside, access: 'read-write' } });
    session.start(1);
    await session.acked(session.tell('@shell pwd'));
    assert.deepEqual(session.said, [inside]);
  }));
