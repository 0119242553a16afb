import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '@halfdoor/protocol/limits';
import { parkUntil } from '../park.ts';

const NOW = new Date('2026-01-10T12:00:00.000Z');
const before = (ms: number): Date => new Date(NOW.getTime() - ms);
const after = (ms: number): Date => new Date(NOW.getTime() + ms);

test('until when a message waits for a quota', () => {
  const cases: [since: Date | null, said: string | null, until: Date | null][] = [
    [null, after(90_000).toISOString(), after(90_000)],
    [null, null, after(LIMITS.parkUnsaidMs)],
    [before(LIMITS.parkUnsaidMs), null, after(LIMITS.parkUnsaidMs)],
    [null, 'soon', after(LIMITS.parkUnsaidMs)],
    [null, before(60_000).toISOString(), after(1_000)],
    [NOW, before(60_000).toISOString(), after(60_000)],
    [NOW, after(90_000).toISOString(), after(90_000)],
    [null, after(LIMITS.parkMs + 1).toISOString(), after(LIMITS.parkMs)],
    [null, '9999-12-31T23:59:59.999Z', after(LIMITS.parkMs)],
    [before(LIMITS.parkedMs - 1), null, after(LIMITS.parkUnsaidMs)],
    [before(LIMITS.parkedMs), null, null],
    // The clock was set back since it first waited.
    [after(3_600_000), null, after(LIMITS.parkUnsaidMs)],
  ];
  for (const [since, said, until] of cases) {
    assert.deepEqual(parkUntil(NOW, since, said), until, `${since?.toISOString()} ${said}`);
  }
});
