import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TraceView } from '../../host/api/operator-contract.ts';
import type { DeliveryFact, DispatchFact, Facts } from '../../host/trace/facts.ts';
import { hopsOf } from '../../host/trace/hops.ts';
import type { Live } from '../../host/trace/live.ts';
import { standingOf } from '../../host/trace/standing.ts';

const AT = '2026-01-01T00:00:00.000Z';
const LATER = '2026-01-01T00:00:01.000Z';
const address = { channel: 'terminal', chat: 'a', thread: null };

const dispatch = (more: Partial<DispatchFact> = {}): DispatchFact => ({
  id: 'd1',
  kind: 'chat',
  state: 'open',
  agent: 'a',
  sessionId: 's1',
  sessionRun: 1,
  sessionEnded: false,
  cursor: 0,
  tries: [],
  reason: null,
  dueAt: null,
  parkedAt: null,
  settledAt: null,
  replayOf: null,
  closed: null,
  closedAt: null,
  runs: [],
  ...more,
});

const delivery = (more: Partial<DeliveryFact> = {}): DeliveryFact => ({
  ordinal: 1,
  id: 'v1',
  sessionId: 's1',
  seq: 3,
  address,
  destination: 'terminal',
  text: 'hello',
  state: 'queued',
  tries: 0,
  mayBeDuplicate: false,
  dueAt: null,
  platformId: null,
  reason: null,
  createdAt: LATER,
  settledAt: null,
  closed: null,
  closedAt: null,
  ahead: null,
  ...more,
});

const live = (more: Partial<Live> = {}): Live => ({
  state: 'asleep',
  place: null,
  inboundSeq: null,
  heartbeat: null,
  progress: null,
  uncollected: { messages: [], acks: [] },
  unread: null,
  ...more,
});

const factsOf = (more: Partial<Facts>): Facts => ({
  event: {
    id: 'e1',
    kind: 'message',
    address,
    platformId: 'p1',
    sender: 'local:0',
    role: 'owner',
    text: 'hi',
    receivedAt: AT,
    repeats: 0,
    repeatedAt: null,
  },
  dispatches: [dispatch()],
  deliveries: [],
  unsent: [],
  ...more,
});

const stand = (facts: Partial<Facts>, now: Partial<Live> = {}, connected = true): TraceView['now'] =>
  standingOf({ facts: factsOf(facts), live: new Map([['d1', live(now)]]), mayTake: () => connected });

const done = dispatch({ state: 'done', settledAt: LATER });
const ack = { seq: 5, messageId: 'd1', run: 1, status: 'done' as const, reason: null };

test('while it is open: what it waits for', () => {
  const tried = dispatch({ tries: [{ n: 1, run: null, ending: 'there is no runner', at: LATER }] });
  const cases: [Partial<Facts>, Partial<Live>, RegExp][] = [
    [{}, {}, /^It is accepted, and its session is about to be woken\.$/],
    [{}, { state: 'starting' }, /^Its sandbox is starting\.$/],
    [{}, { state: 'stopping' }, /^A run is ending; the next one takes it up\.$/],
    [{}, { state: 'awake' }, /^a is awake and has not taken it up yet\.$/],
    [
      {},
      { state: 'awake', uncollected: { messages: [], acks: [ack] } },
      /^a has finished with it and the host is about/,
    ],
    [
      { dispatches: [tried] },
      {},
      /^The next run takes it up within seconds\. No run could be made: there is no runner; that was try 1 of 3\.$/,
    ],
  ];
  for (const [facts, now, text] of cases) assert.match(stand(facts, now).text, text);
});

test('once it is answered: what holds the answer up', () => {
  const first = { id: 'v0', dueAt: LATER, reason: 'too many requests' };
  const cases: [Partial<DeliveryFact>, boolean, TraceView['now']['standing'], RegExp][] = [
    [{ state: 'delivered', settledAt: LATER }, true, 'answered', /^a answered with one message, delivered\.$/],
    [{ state: 'sending' }, true, 'undelivered', /on its way to terminal:a and nobody has confirmed it yet/],
    [{}, false, 'undelivered', /nobody is connected to terminal:a/],
    [
      { ahead: { count: 2, first } },
      true,
      'undelivered',
      /waits behind 2 others to terminal:a; the first of them: too many requests, again at 2026/,
    ],
    [
      { state: 'dead', reason: 'no such chat', settledAt: LATER },
      true,
      'dead',
      /terminal:a did not take it: no such chat/,
    ],
    [{ state: 'dead', closed: 'dropped', settledAt: LATER }, true, 'dropped', /was ended for good by a person/],
  ];
  for (const [more, connected, standing, text] of cases) {
    const now = stand({ dispatches: [done], deliveries: [delivery(more)] }, {}, connected);
    assert.equal(now.standing, standing);
    assert.match(now.text, text);
  }
});

test('of several agents the worst is said first, and each that stands otherwise is named', () => {
  const failed = dispatch({
    id: 'd2',
    agent: 'b',
    sessionId: 's2',
    state: 'failed',
    reason: 'quota: over',
    settledAt: LATER,
  });
  const now = stand({ dispatches: [done, failed], deliveries: [delivery({ state: 'delivered', settledAt: LATER })] });
  assert.equal(now.standing, 'failed');
  assert.equal(
    now.text,
    "b gave no answer: the model's quota is used up: over. a answered with one message, delivered.",
  );
});

test('what stands in outbound.db above the cursor is shown as not collected yet, behind all that happened', () => {
  const message = {
    seq: 3,
    id: 'm1',
    run: 1,
    turn: 't1',
    answers: ['d1'],
    timestamp: LATER,
    kind: 'message' as const,
    destination: 'terminal',
    thread: null,
    text: 'hello',
    files: [],
  };
  const now = live({ inboundSeq: 2, uncollected: { messages: [message], acks: [ack] }, unread: 'outbound.db: locked' });
  const hops = hopsOf(factsOf({}), new Map([['d1', now]]));
  assert.deepEqual(hops.map((it) => it.text).slice(2), [
    'in inbound.db as #2',
    '#3 to "terminal": not collected yet',
    'done (no reason): not collected yet',
    'could not be read just now: outbound.db: locked',
  ]);
  assert.equal(hops[3]?.body, 'hello');
});
