/** Who waits behind a file that keeps the reader past its deadline: everybody once, nobody from then on. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { untilGone } from '../../host/sandboxes/launched.ts';
import { BAD, failureOf, GOOD, readerPids, type Attack, type Place } from './reader-stage.ts';
import { killOne } from '../world/kill.ts';

/** Opening it never ends. */
function hang(out: string): void {
  unlinkSync(join(out, 'outbound.db-journal'));
  execFileSync('mkfifo', [join(out, 'outbound.db-journal')]);
}

/** Asks for both, the bad one first: who is answered first. */
async function race({ reader }: Place): Promise<string[]> {
  const order: string[] = [];
  const asked = [BAD, GOOD].map(async (id) => {
    const failure = failureOf(await reader.read(id, 0));
    order.push(id === BAD ? `bad ${failure}` : `good ${failure}`);
  });
  await Promise.all(asked);
  return order;
}

export function secondCases(attack: Attack): void {
  attack('who kept it past its deadline is asked by a second reader: others wait for it no more', async (place) => {
    const { out, reader } = place;
    assert.equal(failureOf(await reader.read(GOOD, 0)), 'ok');
    hang(out);
    // The control: with one reader everybody waits.
    assert.deepEqual(await race(place), ['bad timeout', 'good ok']);
    for (let n = 0; n < 3; n++) assert.deepEqual(await race(place), ['good ok', 'bad timeout']);
    place.reader.forget(BAD);
  });

  attack('the second reader ends when the session falls asleep', async ({ out, reader }) => {
    hang(out);
    assert.equal(failureOf(await reader.read(BAD, 0)), 'timeout');
    assert.equal(failureOf(await reader.read(GOOD, 0)), 'ok');
    const first = readerPids();
    unlinkSync(join(out, 'outbound.db-journal'));
    assert.equal(failureOf(await reader.read(BAD, 0)), 'ok');
    const second = readerPids().filter((pid) => !first.includes(pid));
    assert.ok(second.length > 0);
    reader.forget(BAD);
    await untilGone(second);
    assert.equal(failureOf(await reader.read(BAD, 0)), 'ok');
    assert.deepEqual(readerPids(), first);
  });
}

export function scarceCases(attack: Attack): void {
  attack('it comes back once there are descriptors again, however few there were at its start', async (place) => {
    const { reader, log } = place;
    assert.equal(failureOf(await reader.read(GOOD, 0)), 'ok');
    const limiter = spawn('/bin/sh', [
      '-c',
      `while read n; do prlimit --pid ${process.pid} --nofile=$n: && echo; done`,
    ]);
    const limit = async (files: number): Promise<void> => {
      const done = once(limiter.stdout, 'data');
      limiter.stdin.write(`${files}\n`);
      await done;
    };
    for (const spare of [0, 2, 4, 6, 8, 10]) {
      const pids = readerPids();
      const before = log().split('cannot be started').length;
      // What the one that ends gives back is not enough for another.
      await limit(readdirSync('/proc/self/fd').length - 5 + spare);
      killOne(pids[0], 'SIGKILL');
      await untilGone(pids);
      const asked = reader.read(GOOD, 0);
      if (spare < 8) while (log().split('cannot be started').length === before) await sleep(5);
      await limit(1024);
      assert.equal(failureOf(await asked), 'ok');
    }
    limiter.kill();
  });
}
