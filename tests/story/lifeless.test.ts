/** A run counts as dead by looks that found no beat, and not because somebody set the clock or closed the lid. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '@halfdoor/protocol/limits';
import type { Clock } from '../../host/clock.ts';
import type { StopReason } from '../../host/sessions/decide.ts';
import { Pulse } from '../../host/sessions/pulse.ts';

/** A busy run under a clock that is moved by hand; `look` is one turn of the pulse's own timer. */
function busy(): { look(): void; set(ms: number): void; beat(): void; ended: StopReason[]; asked(): number } {
  let nowMs = Date.parse('2026-01-01T00:00:00Z');
  let due = (): void => undefined;
  let beat: number | null = null;
  let asked = 0;
  const ended: StopReason[] = [];
  const clock: Clock = {
    now: () => new Date(nowMs),
    after: (_, fn) => {
      due = fn;
      return { cancel: () => undefined };
    },
    soon: setImmediate,
  };
  const pulse = new Pulse({
    clock,
    isBusy: () => true,
    isHeeded: () => true,
    tooLong: () => (asked += 1),
    beat: () => beat,
    look: () => undefined,
    end: (reason) => ended.push(reason),
  });
  pulse.start();
  const look = (): void => {
    nowMs += LIMITS.bellPollMs;
    due();
  };
  return { look, set: (ms) => (nowMs += ms), beat: () => (beat = (beat ?? 0) + 1), ended, asked: () => asked };
}

for (const [name, ms] of [
  ['forward', 3_600_000],
  ['back', -3_600_000],
] as const) {
  test(`a clock set ${name} by an hour ends no run that beats`, () => {
    const run = busy();
    run.look();
    run.set(ms);
    for (let n = 0; n < 10; n++) run.look();
    run.beat();
    for (let n = 0; n < 10; n++) run.look();
    assert.deepEqual(run.ended, []);
  });
}

test('one that never beat is ended after a minute too, and by another name', () => {
  const run = busy();
  for (let n = 0; n <= LIMITS.aliveMs / LIMITS.bellPollMs; n++) run.look();
  assert.deepEqual(run.ended, ['unready']);
});

test('after four hours of work whoever waits is asked once; it goes on', () => {
  const run = busy();
  for (let n = 1; n <= (2 * LIMITS.longWorkMs) / LIMITS.bellPollMs; n++) {
    run.beat();
    run.look();
    if (n === LIMITS.longWorkMs / LIMITS.bellPollMs - 1) assert.equal(run.asked(), 0);
  }
  assert.equal(run.asked(), 1);
  assert.deepEqual(run.ended, []);
});

test('a run that beats no more is ended after a minute, also when the clock was set back', () => {
  const run = busy();
  run.beat();
  run.look();
  run.set(-3_600_000);
  const looks = LIMITS.aliveMs / LIMITS.bellPollMs;
  for (let n = 0; n < looks; n++) run.look();
  assert.deepEqual(run.ended, []);
  run.look();
  run.look();
  assert.equal(run.ended[0], 'lifeless');
});
