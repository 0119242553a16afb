import assert from 'node:assert/strict';
import { test } from 'node:test';
import { search, simulate } from './sim/search.ts';

const RUNS = 680;
const HITS = 200;

test('one seed is one story, line by line', async () => {
  for (const seed of ['3', '4', '5']) {
    const [first, second] = await Promise.all([simulate('--trace', seed), simulate('--trace', seed)]);
    assert.ok(first.split('\n').length > 50);
    assert.equal(first, second);
  }
});

test('whoever is killed at whichever step, nothing is lost, nothing doubled in silence, nobody left in the dark', async (t) => {
  const { runs, messages, seconds, coverage, counterexample } = await search('--runs', String(RUNS));
  t.diagnostic(`${runs} stories, ${messages} messages, ${seconds.toFixed(0)} s`);
  for (const [step, { before, after }] of Object.entries(coverage)) {
    t.diagnostic(`${step}: killed ${before} times before, ${after} times after`);
  }
  assert.equal(counterexample, null, JSON.stringify(counterexample, null, 2));
  const seldom = Object.entries(coverage).filter(([, { before, after }]) => before + after < HITS);
  assert.deepEqual(seldom, [], `killed fewer than ${HITS} times at these`);
});
