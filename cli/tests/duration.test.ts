import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDuration } from '../duration.ts';
import { Failure } from '../failure.ts';

test('times with and without a unit', () => {
  const read = ['500ms', '60s', '2m', '1h', '7', '0.5s', '0'].map(parseDuration);
  assert.deepEqual(read, [500, 60_000, 120_000, 3_600_000, 7_000, 500, 0]);
});

for (const text of ['', 'soon', '-1s', '5 s', '25h', '1d', '1e3']) {
  test(`${JSON.stringify(text)} is wrong use`, () =>
    assert.throws(
      () => parseDuration(text),
      (error) => error instanceof Failure && error.exitCode === 2,
    ));
}
