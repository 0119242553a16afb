/** Stories that once went wrong: each goes well now, and wrong again with the fault put back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CALM, type Op, type Scenario } from './sim/scenario.ts';
import { simulate } from './sim/search.ts';

type Told = { fault: string; scenario: Omit<Scenario, 'seed' | 'agents' | 'ending'> };

const says = (script: 'plain' | 'says-first' | 'to-post' | 'to-mail'): Op => ({ op: 'send', agent: 0, script });

const TOLD: readonly Told[] = [
  {
    // A delivery that waits for its next try, and the host ends: nobody tried it again.
    fault: 'a retry does not outlive its host',
    scenario: {
      ops: [
        { after: 1, it: says('to-post') },
        { after: 400, it: { op: 'restart' } },
      ],
      crashes: [],
      weather: { ...CALM, failedSends: 100 },
    },
  },
  {
    // Killed when it had settled all it worked on: the message that came at that moment had a try counted.
    fault: 'a death after all was settled blames what waits',
    scenario: {
      ops: [{ after: 1, it: says('plain') }],
      crashes: [{ step: 'settle', edge: 'after', skip: 0, who: 'self', says: true }],
      weather: CALM,
    },
  },
  {
    // The only reply went to a room that refused it: who had asked heard nothing.
    fault: 'what a platform refuses is told to nobody',
    scenario: {
      ops: [
        { after: 1, it: says('to-mail') },
        { after: 1_000, it: { op: 'status', agent: 0 } },
      ],
      crashes: [],
      weather: { ...CALM, deadSends: 100 },
    },
  },
  {
    // No sandbox could start, three times: whoever had said /stop heard nothing.
    fault: 'a stop that is given up is told to nobody',
    scenario: {
      ops: [
        { after: 1, it: says('plain') },
        { after: 0, it: { op: 'stop', agent: 0 } },
        { after: 5_000, it: { op: 'status', agent: 0 } },
      ],
      crashes: [],
      weather: { ...CALM, failedStarts: 100 },
    },
  },
  {
    // Said, killed, and inbound.db made again with new numbers: it was said once more.
    fault: 'new numbers hide what was said',
    scenario: {
      ops: [
        { after: 1, it: says('says-first') },
        { after: 70, it: { op: 'lose-inbound', agent: 0 } },
      ],
      crashes: [{ step: 'say', edge: 'after', skip: 0, who: 'power', says: false }],
      weather: CALM,
    },
  },
];

for (const { fault, scenario } of TOLD) {
  test(`told again: ${fault}`, async () => {
    const stories = Array.from({ length: 3 }, (_, seed) => ({ seed, agents: 1, ending: 'stopped', ...scenario }));
    for (const story of stories) {
      const words = ['--story', JSON.stringify(story)];
      assert.deepEqual(JSON.parse(await simulate(...words)), []);
      assert.notDeepEqual(JSON.parse(await simulate(...words, '--mutant', fault)), []);
    }
  });
}
