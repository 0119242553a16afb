// needs: userns
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crash } from '../../bench/crash.ts';

test('kill -9 of host, reader, runner and sandbox at every row of the contract: nothing lost, no silent copy', async () => {
  const { accepted, answered, dead_lettered, lost, duplicates_unmarked, kills } = await crash({
    messages: 600,
    kills: 60,
    seed: 4,
  });
  assert.deepEqual({ lost, duplicates_unmarked, kills }, { lost: 0, duplicates_unmarked: 0, kills: 60 });
  assert.ok(accepted >= 600);
  assert.equal(answered + dead_lettered, accepted);
});
