import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { makeDurable } from '@halfdoor/protocol/durable';
import { systemClock } from '../../clock.ts';
import { Central } from '../../db/central.ts';
import { makeIds } from '../../ids.ts';
import { answer } from '../../inbound/answer.ts';
import { identify } from '../../inbound/identify.ts';
import { Refusal } from '../../refusal.ts';
import { makePairing } from '../pairing.ts';
import { strangersOf } from '../strangers.ts';

const MINUTE_MS = 60_000;

/** A central database with one agent, a clock that is set by hand, and people who write privately to `telegram`. */
async function stage(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'hd-pairing-'));
  const central = await Central.open(join(folder, 'central.db'), makeDurable(), systemClock);
  t.after(async () => {
    await central.close();
    rmSync(folder, { recursive: true });
  });
  let nowMs = Date.parse('2026-01-02T03:04:05.678Z');
  const now = (): string => new Date(nowMs).toISOString();
  const ids = makeIds(() => nowMs);
  const agent = { id: 'a1', name: 'a', provider: 'mock', sandbox: 'process' as const, created_at: now() };
  await central.commit('agent', (tx) => tx.insertInto('agents').values(agent).execute());
  const deps = { central, ids, now, mayTake: () => false, after: () => {}, renew: () => {} };
  let messages = 0;
  const say = async (person: number, text: string, direct = true): Promise<'answered' | 'goes on' | 'refused'> => {
    const address = { channel: 'telegram', chat: String(person), thread: null };
    const platformId = String(++messages);
    const incoming = { address, platformId, sender: `telegram:${person}`, senderName: 'Ann', direct, text };
    try {
      const answered = await answer(deps, incoming, await identify(central.read, incoming));
      return answered ? 'answered' : 'goes on';
    } catch (error) {
      assert.ok(error instanceof Refusal && error.code === 'forbidden', String(error));
      return 'refused';
    }
  };
  const code = async (): Promise<string> => {
    const made = { channel: 'telegram', agentId: 'a1' };
    return (await central.commit('channel', (tx) => makePairing(tx, made, now(), randomBytes))).code;
  };
  return { central, say, code, pass: (ms: number) => (nowMs += ms) };
}

test('a code is good for a quarter of an hour', async (t) => {
  const { say, code, pass } = await stage(t);
  const late = await code();
  pass(15 * MINUTE_MS);
  assert.equal(await say(1, late), 'refused');
  const soon = await code();
  pass(15 * MINUTE_MS - 1);
  assert.equal(await say(1, soon), 'answered');
  assert.equal(await say(1, 'hello'), 'goes on');
});

test('ten wrong codes within an hour, and the right one is not listened to; others are', async (t) => {
  const { say, code, pass } = await stage(t);
  for (let n = 0; n < 10; n++) assert.equal(await say(1, 'A'.repeat(24)), 'refused');
  assert.equal(await say(1, await code()), 'refused');
  assert.equal(await say(2, await code()), 'answered');
  pass(60 * MINUTE_MS + 1);
  assert.equal(await say(1, await code()), 'answered');
});

test('a code that many see is none', async (t) => {
  const { say, code } = await stage(t);
  assert.equal(await say(1, await code(), false), 'refused');
});

test('whoever is known may write what looks like a code', async (t) => {
  const { say, code } = await stage(t);
  const used = await code();
  assert.equal(await say(1, used), 'answered');
  assert.equal(await say(1, used), 'goes on');
  assert.equal(await say(1, 'A'.repeat(24)), 'goes on');
});

test('strangers are counted, a thousand at most, and the longest silent ones are forgotten', async (t) => {
  const { central, say, pass } = await stage(t);
  for (let n = 1; n <= 1_003; n++) {
    pass(1);
    assert.equal(await say(n, 'hello'), 'refused');
  }
  pass(1);
  await say(4, 'again');
  assert.deepEqual((await strangersOf(central.read)).get('telegram')?.people, 1_000);
  const kept = await central.read
    .selectFrom('strangers')
    .select(['sender', 'n'])
    .where('sender', 'in', ['telegram:3', 'telegram:4'])
    .execute();
  assert.deepEqual(
    kept.map((it) => ({ ...it })),
    [{ sender: 'telegram:4', n: 2 }],
  );
});
