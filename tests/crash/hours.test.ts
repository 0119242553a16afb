/** Work that takes hours, on time that only passes when nothing else happens. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CALM } from './sim/scenario.ts';
import { simulate } from './sim/search.ts';

test('after four hours whoever waits is asked once whether to go on, and it goes on', async () => {
  const ops = [{ after: 1, it: { op: 'send', agent: 0, script: 'hours' } }];
  const story = { seed: 1, agents: 1, ending: 'stopped', ops, crashes: [], weather: CALM };
  assert.deepEqual(JSON.parse(await simulate('--story', JSON.stringify(story))), []);
});
