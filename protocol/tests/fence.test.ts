import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { isFault } from '../fault.ts';
import { OUTBOUND_VERSION, OutboundWriter, readOutboundRows } from '../outbound.ts';
import { SessionFile } from '../sqlite.ts';
import { message } from './rows.ts';
import { assertOrdinaryUser, durable, inWorld, OWN, RUNTIMES, type Peer, type World } from './world.ts';

const read = (world: World) => {
  const file = new SessionFile(world.outbound, { access: 'reads', timeoutMs: 250, version: OUTBOUND_VERSION });
  const rows = readOutboundRows(file, 0, 50);
  const state = file.all('select key from session_state').map((row) => row.key);
  file.close();
  return { ids: rows.messages.map((row) => row.id), runs: rows.messages.map((row) => row.run), state };
};

/** Resolves once the kernel says that the process is stopped. */
async function stopped(peer: Peer): Promise<void> {
  assert.deepEqual(await peer.line(), { stopping: true });
  const state = (): string => readFileSync(`/proc/${peer.child.pid}/stat`, 'utf8').split(') ')[1]?.[0] ?? '';
  while (state() !== 'T') await new Promise((resolve) => setImmediate(resolve));
}

for (const peer of RUNTIMES) {
  test(`an older run (${peer}) that wakes up late is fenced by a newer one (${OWN})`, () =>
    inWorld(async (world) => {
      assertOrdinaryUser();
      const older = world.peer(peer, 'stopped', { ...world, run: 1, where: 'before' });
      await stopped(older);
      const newer = new OutboundWriter(world.outbound, 2, durable);
      older.child.kill('SIGCONT');
      assert.deepEqual(await older.line(), { ended: 'fenced' });
      assert.deepEqual(read(world), { ids: [], runs: [], state: [] });
      assert.deepEqual(newer.write('say', { messages: [message('new')], seenSeq: 0 }), [1]);
      assert.deepEqual(read(world), { ids: ['new'], runs: [2], state: [] });
      newer.close();
    }));

  test(`a run (${peer}) stopped inside its transaction keeps it: a newer one (${OWN}) is told busy`, () =>
    inWorld(async (world) => {
      assertOrdinaryUser();
      const older = world.peer(peer, 'stopped', { ...world, run: 1, where: 'inside' });
      await stopped(older);
      const impatient = new SessionFile(world.outbound, {
        access: 'runner-writes',
        timeoutMs: 0,
        version: OUTBOUND_VERSION,
      });
      assert.throws(
        () => impatient.write(() => 1),
        (error) => isFault(error, 'busy'),
      );
      impatient.close();
      assert.deepEqual(read(world).state, []);
      older.child.kill('SIGCONT');
      assert.deepEqual(await older.line(), { ended: 'committed' });
      const newer = new OutboundWriter(world.outbound, 2, durable);
      assert.deepEqual(read(world).state, ['late']);
      newer.close();
    }));
}

test('a run number takes over once; an older or equal one is fenced and leaves nothing open', () =>
  inWorld((world) => {
    const first = new OutboundWriter(world.outbound, 5, durable);
    const before = openDescriptors(world);
    for (const run of [5, 4, 0]) {
      assert.throws(
        () => new OutboundWriter(world.outbound, run, durable),
        (error) => isFault(error, 'fenced'),
      );
    }
    assert.equal(openDescriptors(world), before);
    assert.deepEqual(first.write('say', { messages: [message('a')], seenSeq: 0 }), [1]);
    const second = new OutboundWriter(world.outbound, 6, durable);
    for (const write of [
      () => first.write('say', { messages: [message('late')], seenSeq: 0 }),
      () => first.write('continuation', { state: { late: 'x' }, seenSeq: 0 }),
      () => first.prune(99, []),
    ]) {
      assert.throws(write, (error) => isFault(error, 'fenced'));
    }
    assert.deepEqual(read(world), { ids: ['a'], runs: [5], state: [] });
    first.close();
    second.close();
  }));

test('what earlier runs said about a message is told to the next run, what this run said is not', () =>
  inWorld((world) => {
    const first = new OutboundWriter(world.outbound, 1, durable);
    first.write('say', { messages: [message('a', 'hello', ['x', 'y']), message('b', 'other', ['z'])], seenSeq: 4 });
    assert.deepEqual(first.saidBefore([{ id: 'x', seq: 2 }]), []);
    first.close();
    const second = new OutboundWriter(world.outbound, 2, durable);
    second.write('say', { messages: [message('c', 'again', ['x'])], seenSeq: 4 });
    assert.deepEqual(
      second.saidBefore([{ id: 'x', seq: 2 }]).map((it) => it.id),
      ['a'],
    );
    assert.deepEqual(
      second
        .saidBefore([
          { id: 'z', seq: 4 },
          { id: 'y', seq: 2 },
        ])
        .map((it) => it.id),
      ['a', 'b'],
    );
    assert.deepEqual(second.saidBefore([{ id: 'unknown', seq: 2 }]), []);
    // Its file was made again: the number is a new one, above the answer's.
    assert.deepEqual(
      second.saidBefore([{ id: 'x', seq: 900 }]).map((it) => it.id),
      ['a'],
    );
    second.close();
  }));

/** How many descriptors of this process are open on the session's files. */
function openDescriptors(world: World): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(world.outDir);
    } catch {
      return false;
    }
  }).length;
}
