import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeDurable } from '@halfdoor/protocol/durable';
import { OutboundWriter } from '@halfdoor/protocol/runner';
import { inSession, inSilentSession, SLOW, STOP } from './world.ts';

test('stop in the middle of a tool ends the tool and everything it started, and settles what came before', () =>
  inSession(async (session) => {
    const began = session.pipe('began').heard();
    const held = session.pipe('held').heard();
    session.start(1);
    const id = session.tell('@shell exec 3> held; sleep 300 & echo > began; sleep 300\n@reply never');
    await began;
    const control = session.project(STOP);
    const ack = await session.acked(id);
    assert.deepEqual([ack.status, ack.reason], ['failed', 'stopped']);
    assert.equal((await session.acked(control)).status, 'done');
    await held; // ends when the last process that has it open is gone
    await session.acked(session.tell('@reply after'));
    assert.deepEqual(session.said, ['after']);
  }));

test('a stopped turn sends nothing more, though its provider goes on for a while', () =>
  inSession(async (session) => {
    const began = session.pipe('began').heard();
    session.start(1);
    const send = '@tool send_message {"to":"home","text":"after the stop"}';
    const id = session.tell(`@shell echo > began; sleep 300\n${send}`);
    await began;
    session.project(STOP);
    assert.equal((await session.acked(id)).reason, 'stopped');
    await session.acked(session.tell('@reply on'));
    assert.deepEqual(session.said, ['on']);
  }));

test('stop takes back what waits, silent rows too, and leaves what came after it', () =>
  inSession(async (session) => {
    const began = session.pipe('began').heard();
    session.start(1);
    const running = session.tell('@shell echo > began; sleep 300');
    await began;
    const [waiting = '', silent = '', stop = '', after = ''] = session.projectAll([
      { kind: 'chat', text: '@reply never' },
      { kind: 'chat', text: 'context', wakes: false },
      STOP,
      { kind: 'chat', text: '@reply after' },
    ]);
    assert.equal((await session.acked(after)).status, 'done');
    const reasons = [running, waiting, silent, stop].map(
      (id) => session.acks.find((it) => it.messageId === id)?.reason,
    );
    assert.deepEqual(reasons, ['stopped', 'stopped', 'stopped', null]);
    assert.deepEqual(session.said, ['after']);
  }));

test('a stop with nothing to stop is acked, and nothing is said', () =>
  inSession(async (session) => {
    session.start(1);
    await session.acked(session.tell('@reply before'));
    assert.equal((await session.acked(session.project(STOP))).status, 'done');
    assert.deepEqual(session.said, ['before']);
  }));

test('SIGTERM in mid-turn: exit 0, nothing acked, no command left, and the next run answers', () =>
  inSession(async (session) => {
    const began = session.pipe('began').heard();
    const held = session.pipe('held').heard();
    const { child, exit } = session.start(1);
    const send = '@tool send_message {"to":"home","text":"began"}';
    const id = session.tell(
      `${send}\n@shell [ -e second ] || { exec 3> held; echo > began; exec sleep 300; }\n@reply done`,
    );
    await began;
    child.kill('SIGTERM');
    assert.deepEqual(await exit, { code: 0, signal: null });
    await held;
    session.read();
    assert.deepEqual([session.said, session.acks], [['began'], []]);
    writeFileSync(join(session.folder, 'work', 'second'), '');
    session.start(2);
    assert.equal((await session.acked(id)).run, 2);
    assert.deepEqual(
      session.said,
      ['began', 'already sent as #3', '(no output)', 'done'],
      'said once, not by each run',
    );
  }));

test('SIGTERM at rest is the end of the run', () =>
  inSession(async (session) => {
    const { child, exit } = session.start(1);
    await session.acked(session.tell('up'));
    child.kill('SIGTERM');
    assert.deepEqual(await exit, { code: 0, signal: null });
  }));

test('the end of the bell is the end of the run, at rest', () =>
  inSession(async (session) => {
    const { exit } = session.start(1);
    await session.acked(session.tell('up'));
    await session.closeBell();
    assert.deepEqual(await exit, { code: 0, signal: null });
  }));

test('the end of the bell is the end of the run, in mid-turn, and leaves the message open', () =>
  inSession(async (session) => {
    const began = session.pipe('began').heard();
    const held = session.pipe('held').heard();
    const { exit } = session.start(1);
    session.tell('@shell exec 3> held; echo > began; exec sleep 300');
    await began;
    await session.closeBell();
    assert.deepEqual(await exit, { code: 0, signal: null });
    await held;
    session.read();
    assert.deepEqual([session.said, session.acks], [[], []]);
  }));

test('without a bell it finds by looking what came in mid-turn, and what came after', SLOW, () =>
  inSilentSession(async (session) => {
    const began = session.pipe('began').heard();
    const held = session.pipe('held').heard();
    const rung = session.pipe('rung').heard();
    session.start(1);
    const id = session.tell('@shell exec 3> held; echo > began; exec sleep 300');
    await began;
    session.project(STOP);
    await held;
    session.tell('@tool send_message {"to":"home","text":"found"}\n@shell echo > rung; exec sleep 300');
    await rung;
    session.read();
    assert.deepEqual(session.said, ['found']);
    assert.equal(session.acks.find((it) => it.messageId === id)?.reason, 'stopped');
  }),
);

test('an older run that wakes up late writes nothing and ends with 3', () =>
  inSession(async (session) => {
    const began = session.pipe('began').heard();
    const gate = session.pipe('gate');
    const { exit } = session.start(1);
    session.tell('@shell echo > began; cat gate\n@reply late');
    await began;
    const newer = new OutboundWriter(session.outbound, 2, makeDurable());
    gate.open();
    assert.equal((await exit).code, 3);
    assert.match(session.stderr, /run 1 no longer owns this session/);
    newer.close();
    session.read();
    assert.deepEqual([session.messages, session.acks], [[], []]);
  }));

test('a run that starts after a newer one ends with 3 before it reads anything', () =>
  inSession(async (session) => {
    new OutboundWriter(session.outbound, 2, makeDurable()).close();
    session.tell('@reply late');
    assert.equal((await session.start(1).exit).code, 3);
    session.read();
    assert.deepEqual([session.messages, session.acks], [[], []]);
  }));

test('--recover takes the file over and does nothing else', () =>
  inSession(async (session) => {
    session.tell('@reply never');
    assert.deepEqual(await session.start(2, '--recover').exit, { code: 0, signal: null });
    session.read();
    assert.deepEqual([session.messages, session.acks], [[], []]);
    assert.equal((await session.start(1).exit).code, 3, 'an older run may write after it');
  }));

test('a call with words that make no sense says how to call it', () =>
  inSession(async (session) => {
    assert.equal((await session.start(1, '--fly').exit).code, 2);
    assert.match(session.stderr, /usage: runner RUN BASE LABEL/);
  }));

test('a provider that this runner does not have is named, and the message stays open', () =>
  inSession(async (session) => {
    session.route({ provider: 'oracle' });
    session.tell('hello');
    assert.equal((await session.start(1).exit).code, 1);
    assert.match(session.stderr, /no provider named oracle/);
    session.read();
    assert.deepEqual(session.acks, []);
  }));
