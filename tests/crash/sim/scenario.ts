/** A story to be played: what people say, what goes wrong outside, and who is killed when. Generated, and shrunk. */
import fc from 'fast-check';
import type { Edge } from '@halfdoor/protocol/durable';
import { STORY_STEPS, type Crash, type StoryStep } from './crash-points.ts';

/** What one message has the agent do; `n` is made unique by the message's number. */
export const SCRIPTS = [
  'plain',
  'slow',
  'says-first',
  'to-post',
  'to-mail',
  'long',
  'to-both',
  'silent',
  'transient',
  'transient-always',
  'quota',
  'fatal',
  'invalid-session',
  'unaddressed',
  'unknown-destination',
  'brings-file',
  'sends-file',
  'posts-file',
] as const;
/** `hours` takes too long to be told at random. */
export type Script = (typeof SCRIPTS)[number] | 'hours';
/** Where most can go wrong. */
const OFTEN = [
  ...(['quota', 'quota', 'slow', 'says-first', 'says-first', 'to-both', 'to-both'] as const),
  ...(['brings-file', 'sends-file', 'posts-file'] as const),
] as const;

export type Op =
  | { op: 'send'; agent: number; script: Script }
  | { op: 'burst'; agent: number; count: number }
  | { op: 'stop' | 'new' | 'status'; agent: number }
  | { op: 'leave' | 'come'; agent: number }
  | { op: 'kill'; who: 'host' | 'run' | 'power' }
  /** A run that is reported gone and still writes for a moment. */
  | { op: 'linger' }
  | { op: 'restart' }
  /** Somebody sets the clock of the host by so many hours. */
  | { op: 'set-clock'; hours: number }
  | { op: 'lose-inbound'; agent: number };

/** How likely it is that something outside goes wrong, in percent. */
export type Weather = {
  lostRings: number;
  lockedReads: number;
  busyWrites: number;
  failedStarts: number;
  failedSends: number;
  deadSends: number;
  slowSends: number;
  /** A person's connection drops after the message was read and before it was confirmed. */
  drops: number;
  /** A killed run leaves its file with a transaction cut off. */
  hotJournals: number;
};

export type Scenario = {
  seed: number;
  agents: number;
  ops: { after: number; it: Op }[];
  crashes: Crash[];
  weather: Weather;
  /** How it ends: everything falls asleep by itself, or the host is told to end. */
  ending: 'asleep' | 'stopped';
};

export const CALM: Weather = {
  ...{ lostRings: 0, lockedReads: 0, busyWrites: 0, failedStarts: 0, failedSends: 0, deadSends: 0, slowSends: 0 },
  ...{ drops: 0, hotJournals: 0 },
};

const agent = fc.nat({ max: 1 });

const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ op: fc.constant('send' as const), agent, script: fc.constantFrom(...SCRIPTS, ...OFTEN) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant('burst' as const), agent, count: fc.integer({ min: 2, max: 8 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constantFrom('stop' as const, 'new' as const, 'new' as const, 'status' as const),
      agent,
    }),
  },
  { weight: 3, arbitrary: fc.record({ op: fc.constantFrom('leave' as const, 'come' as const), agent }) },
  {
    weight: 4,
    arbitrary: fc.record({ op: fc.constant('kill' as const), who: fc.constantFrom('host', 'run', 'run', 'power') }),
  },
  { weight: 1, arbitrary: fc.constant({ op: 'linger' as const }) },
  { weight: 1, arbitrary: fc.constant({ op: 'restart' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant('set-clock' as const), hours: fc.integer({ min: -5, max: 5 }) }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('lose-inbound' as const), agent }) },
);

/** How often a step is chosen: what comes seldom is chosen more often, what happens in every start less. */
const WEIGHTS: Record<StoryStep, number> = {
  migrate: 5,
  template: 7,
  agent: 5,
  'agent-folder': 5,
  'session-folder': 6,
  attachments: 24,
  accept: 5,
  enqueue: 5,
  'start-run': 7,
  'settle-dead': 6,
  outbox: 34,
  collect: 9,
  park: 46,
  receipt: 5,
  'end-session': 18,
  'take-over': 8,
  continuation: 11,
  'out-file': 26,
  say: 20,
  settle: 11,
  'prune-outbound': 14,
  'prune-inbound': 5,
};

/** Up to `skip` times it goes well first. */
const crash: fc.Arbitrary<Crash> = fc.record({
  step: fc.oneof(...STORY_STEPS.map((step) => ({ weight: WEIGHTS[step], arbitrary: fc.constant(step) }))),
  edge: fc.constantFrom<Edge>('before', 'after'),
  skip: fc.oneof(fc.constant(0), fc.nat({ max: 2 })),
  who: fc.constantFrom('self', 'self', 'self', 'self', 'power', 'linger'),
  says: fc.nat({ max: 3 }).map((it) => it === 0),
});

const percent = (max: number): fc.Arbitrary<number> => fc.oneof(fc.constant(0), fc.nat({ max }));

const weather: fc.Arbitrary<Weather> = fc.record({
  lostRings: percent(30),
  lockedReads: percent(20),
  busyWrites: percent(20),
  failedStarts: percent(40),
  failedSends: percent(30),
  deadSends: percent(30),
  slowSends: percent(20),
  drops: percent(30),
  hotJournals: percent(60),
});

export const scenarios: fc.Arbitrary<Scenario> = fc.record({
  seed: fc.integer(),
  agents: fc.integer({ min: 1, max: 2 }),
  ops: fc.array(fc.record({ after: fc.oneof(fc.nat({ max: 20 }), fc.nat({ max: 800 })), it: op }), {
    minLength: 4,
    maxLength: 24,
    size: 'max',
  }),
  crashes: fc.array(crash, { maxLength: 40, size: 'max' }),
  weather,
  ending: fc.constantFrom('stopped', 'stopped', 'stopped', 'asleep'),
});
