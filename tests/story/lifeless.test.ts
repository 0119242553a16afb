/** A run counts as dead by looks that found no beat, and not because somebody set the clock or closed the lid. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '@halfdoor/protocol/limits';
import type { Clock } from '../../host/clock.ts';
import type { StopReason } from '../../host/sessions/decide.ts';
import { Pulse } from '../../host/sessions/pulse.ts';

/** A busy run under a clock that is moved by hand; `look` is one turn of the pulse's own timer. */
function busy(): { look(): void; set(ms: number): void; beat(): void; ended: StopReason[] } {
  let nowMs = Date.parse('2026-01-01T00:00:00Z');
  let due = (): void => undefined;
  let beat = 0;
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
    tooLong: () => undefined,
    beat: () => beat,
    look: () => undefined,
    end: (reason) => ended.push(reason),
  });
  pulse.start();
  const look = (): void => {
    nowMs += LIMITS.bellPollMs;
    due();
  };
  return { look, set: (ms) => (nowMs += ms), beat: () => (beat += 1), ended };
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

test('a run that beats no more is ended after a minute, also when the clock was set back', () => {
  const run = busy();
  run.look();
  run.set(-3_600_000);
  const looks = LIMITS.aliveMs / LIMITS.bellPollMs;
  for (let n = 0; n < looks; n++) run.look();
  assert.deepEqual(run.ended, []);
  run.look();
  run.look();
  assert.equal(run.ended[0], 'lifeless');
});
