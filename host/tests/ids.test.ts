import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeIds, timeOfId } from '../ids.ts';

const AT = Date.parse('2026-01-02T03:04:05.678Z');

test('ids grow when the clock stands still, steps back, or was set back before the host was started', () => {
  let nowMs = AT;
  const ids = makeIds(() => nowMs);
  const made = [ids(), ids()];
  nowMs -= 3_600_000;
  made.push(...Array.from({ length: 5_000 }, ids));
  const next = makeIds(() => nowMs, undefined, made.at(-1));
  made.push(...Array.from({ length: 5_000 }, next));
  nowMs = AT + 3_600_000;
  made.push(next());
  assert.deepEqual(made, made.toSorted());
  assert.equal(new Set(made).size, made.length);
  assert.equal(timeOfId(made.at(-1) ?? ''), '2026-01-02T04:04:05.678Z');
});
