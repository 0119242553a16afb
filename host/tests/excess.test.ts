/** When a run has taken more than it may, and when that is looked for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '@halfdoor/protocol/limits';
import { failureOf } from '../outbound/failure.ts';
import { endingOf } from '../sessions/decide.ts';
import { EXCESSES, excessOf, excessText, isDiskExcess } from '../sessions/excess.ts';
import { Level } from '../sessions/level.ts';

const { memoryBytes, openFiles, diskBytes, diskEntries } = LIMITS;

for (const [name, usage, expected] of [
  ['nothing', { memoryBytes: 0, openFiles: 0 }, null],
  ['all that may be', { memoryBytes, openFiles }, null],
  ['a byte more', { memoryBytes: memoryBytes + 1, openFiles }, 'memory-limit'],
  ['a file more', { memoryBytes, openFiles: openFiles + 1 }, 'open-files-limit'],
] as const) {
  test(`of memory and open files: ${name}`, () => assert.equal(excessOf(usage), expected));
}

for (const [unit, limit] of [
  ['bytes', diskBytes],
  ['entries', diskEntries],
] as const) {
  for (const [name, usage, left, expected] of [
    ['all that may be', limit, 0, false],
    ['one more', limit + 1, 0, true],
    ['what the run before left', limit + 9, limit + 9, false],
    ['more than it left', limit + 10, limit + 9, true],
    ['a leftover of twice the limit', 2 * limit, 9 * limit, false],
    ['more than twice the limit', 2 * limit + 1, 9 * limit, true],
    ['what has no end', Infinity, 0, true],
  ] as const) {
    test(`of the disk, in ${unit}: ${name}`, () => assert.equal(isDiskExcess(unit, usage, left), expected));
  }
}

test('a level is told once it has sunk far enough, or when its time has come', () => {
  const level = new Level({ by: 10, everyMs: 1_000 });
  const asked = [
    [100, 0],
    [91, 1],
    [90, 2],
    [89, 3],
    [80, 4],
    [120, 5],
    [109, 6],
    [109, 1_005],
    [109, 1_006],
  ] as const;
  assert.deepEqual(
    asked.map(([at, ms]) => level.sank(at, ms)),
    [false, false, false, true, false, false, true, false, true],
  );
  level.forget();
  assert.deepEqual([level.sank(109, 1_007), level.sank(109, 1_008)], [true, false]);
});

for (const excess of EXCESSES) {
  test(`${excess}: a try of what was worked on, with words of its own for both`, () => {
    const heartbeat = { run: 3, beat: 1, turn: 't', claims: ['a'], tool: null, deadline: null };
    const exit = { code: null, signal: 'SIGKILL', stderr: '' };
    const end = endingOf(exit, excess, heartbeat, 3, new Set(['a', 'b']));
    assert.deepEqual(end, { ending: excess, victims: ['a'], reason: excess, hopeless: false });
    assert.notEqual(failureOf(excess).error, failureOf(null).error);
    assert.match(excessText(excess), /^Your last run was ended: your .+\./);
  });
}
