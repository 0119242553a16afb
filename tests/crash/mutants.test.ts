import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mutants } from './mutants/mutants.ts';
import { search } from './sim/search.ts';

/** As many as are told without a mutant. */
const RUNS = 680;

for (const { name, row } of mutants) {
  test(`found out, ${row}: ${name}`, async (t) => {
    const { runs, counterexample } = await search('--mutant', name, '--runs', String(RUNS), '--as-found');
    assert.ok(counterexample, `${RUNS} stories went well`);
    t.diagnostic(`by story ${runs}: ${counterexample.violations[0]}`);
  });
}
