/** A receiver of callbacks that misbehaves: what waits keeps its order, nobody else waits with it, and all are told. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import type { DeadView } from '../../host/api/operator-contract.ts';
import { Receiver, type Behaviour, type Got } from '../fakes/receiver.ts';
import { openHastened, type HastenedWorld } from '../world/hastened.ts';
import { addProgram, freePort, type Program } from '../world/program.ts';

/** As the retries of the ledger go: nothing is given up before this. */
const SIX_TRIES_MS = 600_000;
/** A receiver that has not answered by then has not answered. */
const ANSWER_MS = 10_000;

type Stage = { world: HastenedWorld; ops: Program; other: Program; receiver: Receiver; healthy: Receiver };

async function stage(t: TestContext): Promise<Stage> {
  const [receiver, healthy] = [await Receiver.open(), await Receiver.open()];
  t.after(() => Promise.all([receiver.close(), healthy.close()]));
  const world = await openHastened(t);
  await world.createAgent({ name: 'a' });
  await world.createAgent({ name: 'b' });
  const port = await freePort();
  const ops = await addProgram(world, { chat: 'ops', agent: 'a', port, callback: receiver.url('ops') });
  const other = await addProgram(world, { chat: 'other', agent: 'b', callback: healthy.url('other') });
  await receiver.tell({ do: 'know', name: 'ops', secret: ops.signing });
  await healthy.tell({ do: 'know', name: 'other', secret: other.signing });
  for (const it of [receiver, healthy]) await it.tell({ do: 'ahead', seconds: 2 * SIX_TRIES_MS });
  return { world, ops, other, receiver, healthy };
}

/** Says this in the chat and waits until the agent has answered; whether it arrives is another matter. */
async function answered(program: Program, texts: readonly string[]): Promise<void> {
  for (const text of texts)
    assert.equal((await program.settled(await program.say(`@reply ${text}`))).status, 'answered');
}

type Open = { chat: string; state: string; tries: number; due_at: string | null };

/** Deliveries that have not ended, as central has them. */
function openDeliveries({ home }: HastenedWorld): Open[] {
  const central = new DatabaseSync(join(home, 'central.db'), { readOnly: true, timeout: 5_000 });
  try {
    const open = "state in ('queued', 'sending') order by ordinal";
    return central.prepare(`select chat, state, tries, due_at from deliveries where ${open}`).all() as Open[];
  } finally {
    central.close();
  }
}

const headOf = (world: HastenedWorld): Open | undefined => openDeliveries(world).find((it) => it.chat === 'ops');

/** Pushes the clock to each next try of the head, never while anything is under way, until `holds` or until `ends`. */
async function pushUntil(world: HastenedWorld, holds: () => boolean, ends = Infinity): Promise<void> {
  while (!holds()) {
    await world.status();
    const open = openDeliveries(world);
    const due = open.find((it) => it.chat === 'ops')?.due_at;
    if (due == null || open.some((it) => it.state === 'sending')) continue;
    const now = world.clock.now().getTime();
    if (Date.parse(due) > ends) return world.clock.push(Math.max(0, ends - now));
    if (Date.parse(due) > now) world.clock.push(Date.parse(due) - now);
  }
}

const letters = async (world: HastenedWorld): Promise<DeadView[]> =>
  (await world.call<DeadView[]>('GET', '/v1/dead')).body;

/** From sending until the receiver of the other chat has the reply. */
async function latencyMs({ other, healthy }: Stage): Promise<number> {
  const before = healthy.got.length;
  const began = performance.now();
  await other.say('@reply here');
  await healthy.until(({ got }) => got.length > before);
  return performance.now() - began;
}

const marks = (got: readonly Got[]): [string, number, boolean][] =>
  got.map((it) => [it.body.text, it.copy, it.body.mayBeDuplicate]);

test('down for five minutes: all arrive in order afterwards, once; the other chat does not notice', async (t) => {
  const it = await stage(t);
  const { world, ops, receiver } = it;
  await latencyMs(it); // warm
  const usual = await latencyMs(it);
  await receiver.tell({ do: 'down' });
  await answered(ops, ['one', 'two', 'three']);
  const meanwhile: number[] = [];
  const ends = world.clock.now().getTime() + 300_000;
  while (world.clock.now().getTime() < ends) {
    const { tries = 0 } = headOf(world) ?? {};
    await pushUntil(world, () => headOf(world)?.tries !== tries, ends);
    meanwhile.push(await latencyMs(it));
  }
  assert.equal(headOf(world)?.tries, 5);
  assert.equal(receiver.got.length, 0);
  const [{ state, lastError } = { state: null, lastError: null }] = (await world.status()).channels;
  assert.equal(state, 'connected');
  assert.match(lastError?.text ?? '', /^ops: its receiver at 127\.0\.0\.1:\d+ could not be reached/);
  await receiver.tell({ do: 'up' });
  await pushUntil(world, () => receiver.got.length >= 3);
  assert.deepEqual(marks(receiver.got), [
    ['one', 1, false],
    ['two', 1, false],
    ['three', 1, false],
  ]);
  assert.ok(receiver.got.every((got) => got.signed));
  assert.deepEqual(await letters(world), []);
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  t.diagnostic(`the other chat: ${ms(usual)} before, ${meanwhile.map(ms).join(', ')} while the receiver was down`);
});

const CASES: [name: string, first: Behaviour, copies: [string, number, boolean][]][] = [
  [
    '429 with Retry-After',
    { do: 'answer', status: 429, retryAfter: '90' },
    [
      ['one', 0, false],
      ['one', 1, false],
    ],
  ],
  [
    '500',
    { do: 'answer', status: 500 },
    [
      ['one', 0, false],
      ['one', 1, true],
    ],
  ],
  [
    '503',
    { do: 'answer', status: 503 },
    [
      ['one', 0, false],
      ['one', 1, false],
    ],
  ],
  [
    'a connection dropped after reading',
    { do: 'drop' },
    [
      ['one', 1, false],
      ['one', 2, true],
    ],
  ],
  [
    'no answer in time',
    { do: 'hold' },
    [
      ['one', 1, false],
      ['one', 2, true],
    ],
  ],
];

for (const [name, first, copies] of CASES) {
  test(`${name}: sent again, marked where it may have arrived, and nothing overtakes it`, async (t) => {
    const it = await stage(t);
    const { world, ops, receiver } = it;
    await receiver.tell({ do: 'script', name: 'ops', behaviours: [first] });
    await latencyMs(it); // warm
    await answered(ops, ['one', 'two']);
    await receiver.until(({ got }) => got.length >= 1);
    if (first.do === 'hold') world.clock.push(ANSWER_MS);
    const sentAt = world.clock.now().getTime();
    t.diagnostic(`the other chat meanwhile: ${(await latencyMs(it)).toFixed(1)} ms`);
    await pushUntil(world, () => receiver.got.length >= 3);
    assert.deepEqual(marks(receiver.got), [...copies, ['two', 1, false]]);
    assert.equal(new Set(receiver.got.slice(0, 2).map((got) => got.id)).size, 1, 'a retry has the same id');
    if ('retryAfter' in first) assert.ok(world.clock.now().getTime() - sentAt >= 80_000);
    assert.deepEqual(await letters(world), []);
  });
}

for (const [name, behaviour, reason] of [
  ['400', { do: 'answer', status: 400 }, /answered 400/],
  ['a redirect', { do: 'answer', status: 307, location: 'http://127.0.0.1:1/' }, /answered 307, and redirects are not/],
] as const) {
  test(`${name}: given up at once, the next one goes on, and a replay sends it under its id`, async (t) => {
    const { world, ops, receiver } = await stage(t);
    await receiver.tell({ do: 'script', name: 'ops', behaviours: [behaviour] });
    await answered(ops, ['one', 'two']);
    await receiver.until(({ got }) => got.length >= 2);
    assert.deepEqual(marks(receiver.got), [
      ['one', 0, false],
      ['two', 1, false],
    ]);
    const [letter, ...more] = await letters(world);
    assert.deepEqual(
      [letter?.kind, letter?.tries, letter?.to, letter?.text, more.length],
      ['delivery', 1, 'http:ops', 'one', 0],
    );
    assert.match(letter?.error ?? '', reason);
    assert.equal((await world.call('POST', `/v1/dead/${letter?.id}/replay`)).status, 200);
    await receiver.until(({ got }) => got.length >= 3);
    const [first, , again] = receiver.got;
    assert.deepEqual([again?.body.text, again?.id, again?.body.mayBeDuplicate], ['one', first?.id, false]);
    assert.ok((again?.body.position ?? 0) > (first?.body.position ?? 0), 'it has a new place');
    assert.deepEqual(await letters(world), []);
  });
}

test('500 for more than ten minutes: six tries, then it is a dead letter', async (t) => {
  const { world, ops, receiver } = await stage(t);
  await receiver.tell({ do: 'script', name: 'ops', behaviours: [], afterwards: { do: 'answer', status: 500 } });
  await answered(ops, ['one']);
  await receiver.until(({ got }) => got.length >= 1);
  await pushUntil(world, () => headOf(world) === undefined);
  const dead = await letters(world);
  assert.equal(receiver.got.length, 6);
  assert.equal(dead[0]?.tries, 6);
});
