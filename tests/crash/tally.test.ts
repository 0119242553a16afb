/** Who judges the siege and the power cut is judged here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mark, Tally, type Received } from '../../bench/crash/tally.ts';

const copy = (n: number, more: Partial<Received> = {}): Received => ({
  chat: 'a',
  delivery: `d${n}`,
  text: mark(n),
  mayBeDuplicate: false,
  notice: false,
  answers: [],
  ...more,
});

function tallied(accepted: number, received: readonly Received[]): Tally {
  const tally = new Tally();
  for (let n = 1; n <= accepted; n++) tally.accepted(n, { id: `id${n}`, chat: 'a' });
  for (const it of received) tally.received(it);
  return tally;
}

test('what was accepted and neither answered nor told of is lost', () => {
  const tally = tallied(3, [copy(1), { ...copy(2, { text: 'It was given up.', notice: true }), answers: ['id2'] }]);
  const { accepted, answered, dead_lettered, lost } = tally.verdict();
  assert.deepEqual(
    { accepted, answered, dead_lettered, lost },
    { accepted: 3, answered: 1, dead_lettered: 1, lost: 1 },
  );
  assert.deepEqual(tally.open(null), ['id3']);
});

test('a second copy counts by what it says of itself, and one that is alone is none', () => {
  const marked = { mayBeDuplicate: true };
  const tally = tallied(4, [
    copy(1),
    copy(1),
    copy(2),
    copy(2, marked),
    copy(3, marked),
    copy(4, marked),
    copy(4, marked),
  ]);
  const { duplicates_marked, duplicates_unmarked, lost } = tally.verdict();
  assert.deepEqual(
    { duplicates_marked, duplicates_unmarked, lost },
    { duplicates_marked: 2, duplicates_unmarked: 1, lost: 0 },
  );
  assert.deepEqual(tally.doubled(), [{ id: 'id1', deliveries: ['d1', 'd1'] }]);
});

test('a reply that comes before its acknowledgement is a reply', () => {
  const tally = new Tally();
  tally.received(copy(1));
  tally.accepted(1, { id: 'id1', chat: 'a' });
  assert.deepEqual([tally.open('a'), tally.verdict().answered], [[], 1]);
});
