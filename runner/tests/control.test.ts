import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeDurable } from '@halfdoor/protocol/durable';
import { OutboundWriter } from '@halfdoor/protocol/runner';
import { inSession, Session } from './world.ts';

const STOP = { kind: 'control', control: { verb: 'stop' }, wakes: false, address: null } as const;

const isAlive = (pid: number): boolean =>
  existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));

test('stop in the middle of a tool ends the tool and everything it started, and settles what came before', () =>
  inSession(async (session) => {
    session.start(1);
    const id = session.tell(
      '@tool send_message {"to":"home","text":"go"}\n@shell sleep 300 & echo $! > pid; sleep 300\n@reply never',
    );
    await session.until(() => session.said.includes('go'));
    const pid = await waitForPid(join(session.folder, 'work', 'pid'));
    const control = session.project(STOP);
    const ack = await session.acked(id);
    assert.deepEqual([ack.status, ack.reason], ['failed', 'stopped']);
    await session.acked(control);
    await session.acked(session.tell('@reply after'));
    assert.deepEqual(session.said, ['go', 'after']);
    assert.equal(isAlive(pid), false, 'the command goes on');
  }));

/** The shell inside writes it; nothing rings for that. */
async function waitForPid(path: string): Promise<number> {
  for (;;) {
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    if (text.endsWith('\n')) return Number(text);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('SIGTERM in mid-turn: exit 0, nothing acked, and the next run answers', () =>
  inSession(async (session) => {
    const { child, exit } = session.start(1);
    const id = session.tell('@tool send_message {"to":"home","text":"began"}\n@sleep 500\n@reply done');
    await session.until(() => session.said.includes('began'));
    child.kill('SIGTERM');
    assert.deepEqual(await exit, { code: 0, signal: null });
    assert.deepEqual(session.acks, []);
    session.start(2);
    assert.equal((await session.acked(id)).run, 2);
    assert.deepEqual(session.said, ['began', 'already sent as #3', 'done'], 'said once, though two runs said it');
  }));

test('the end of the bell is the end of the run', () =>
  inSession(async (session) => {
    const { exit } = session.start(1);
    await session.acked(session.tell('up'));
    await session.closeBell();
    assert.deepEqual(await exit, { code: 0, signal: null });
  }));

test('without a bell it finds its messages by looking', async () => {
  const session = new Session();
  try {
    session.start(1);
    const id = session.tell('@reply found');
    const acked = session.acked(id);
    const reread = setInterval(() => session.look(), 50);
    assert.equal((await acked).status, 'done');
    clearInterval(reread);
  } finally {
    await session.close();
  }
});

test('an older run that wakes up late writes nothing and ends with 3', () =>
  inSession(async (session) => {
    const { exit } = session.start(1);
    const id = session.tell('@tool send_message {"to":"home","text":"began"}\n@sleep 300\n@reply late');
    await session.until(() => session.said.includes('began'));
    const newer = new OutboundWriter(session.outbound, 2, makeDurable());
    assert.equal((await exit).code, 3);
    assert.match(session.stderr, /no longer owns/);
    newer.close();
    await session.until(() => true);
    assert.deepEqual(session.said, ['began']);
    assert.deepEqual(
      session.acks.filter((ack) => ack.messageId === id),
      [],
    );
  }));

test('--recover takes the file over and does nothing else', () =>
  inSession(async (session) => {
    session.tell('@reply never');
    assert.deepEqual(await session.start(1, '--recover').exit, { code: 0, signal: null });
    await session.until(() => true);
    assert.deepEqual(session.said, []);
  }));

test('a call with words that make no sense says how to call it', () =>
  inSession(async (session) => {
    assert.equal((await session.start(1, '--fly').exit).code, 2);
    assert.match(session.stderr, /usage: runner RUN BASE LABEL/);
  }));
