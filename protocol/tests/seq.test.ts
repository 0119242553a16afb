import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isFault } from '../fault.ts';
import { InboundReader, InboundWriter } from '../inbound.ts';
import { LIMITS } from '../limits.ts';
import { OUTBOUND_VERSION, OutboundWriter, readOutboundRows } from '../outbound.ts';
import { HOST_PARITY, nextSeq, RUNNER_PARITY } from '../seq.ts';
import { SessionFile } from '../sqlite.ts';
import { chat, done, message } from './rows.ts';
import { AT, durable, inWorld, type World } from './world.ts';

const seqsIn = (world: World): [string, number][] => {
  const reader = new InboundReader(world.inbound);
  const found = reader.messagesAbove(0, 1000).map((it): [string, number] => [it.id, it.seq]);
  reader.close();
  return found;
};

const rowsOut = (world: World, cursor = 0) => {
  const file = new SessionFile(world.outbound, { access: 'reads', timeoutMs: 250, version: OUTBOUND_VERSION });
  const rows = readOutboundRows(file, cursor, 1000);
  file.close();
  return rows;
};

test('the next seq is the lowest of its parity above all that is given', () => {
  for (const [parity, above, next] of [
    [HOST_PARITY, [], 2],
    [RUNNER_PARITY, [], 1],
    [HOST_PARITY, [0, 1], 2],
    [HOST_PARITY, [2, 3], 4],
    [HOST_PARITY, [8, 3], 10],
    [RUNNER_PARITY, [1, 2], 3],
    [RUNNER_PARITY, [5, 2], 7],
    [RUNNER_PARITY, [0, 2 ** 40], 2 ** 40 + 1],
  ] as const) {
    assert.equal(nextSeq(parity, ...above), next, `parity ${parity} above ${above.join(', ')}`);
  }
});

test('projecting again is a no-op that keeps every seq and uses up none', () =>
  inWorld((world) => {
    const writer = new InboundWriter(world.inbound, durable);
    assert.equal(writer.project({ messages: [chat('a'), chat('b')], cursor: 0 }), 2);
    assert.equal(writer.project({ messages: [chat('a', 'changed'), chat('b'), chat('c')], cursor: 0 }), 1);
    assert.equal(writer.project({ messages: [chat('b'), chat('a')], cursor: 9 }), 0);
    assert.equal(writer.project({ messages: [chat('d')], cursor: 0 }), 1);
    assert.deepEqual(seqsIn(world), [
      ['a', 2],
      ['b', 4],
      ['c', 6],
      ['d', 8],
    ]);
    writer.close();
  }));

test('a row twice in one projection is there once', () =>
  inWorld((world) => {
    const writer = new InboundWriter(world.inbound, durable);
    assert.equal(writer.project({ messages: [chat('a'), chat('a'), chat('b')], cursor: 0 }), 2);
    assert.deepEqual(seqsIn(world), [
      ['a', 2],
      ['b', 4],
    ]);
    writer.close();
  }));

test('a violation other than a known id is not hidden, and nothing of that projection stays', () =>
  inWorld((world) => {
    const writer = new InboundWriter(world.inbound, durable);
    writer.project({ messages: [chat('a')], cursor: 0 });
    // Where the counter went astray, the next row meets a seq that is taken.
    const astray = new SessionFile(world.inbound, { access: 'host-writes', timeoutMs: 5, version: 1 });
    astray.run('update meta set seq_high = 0');
    assert.throws(
      () => writer.project({ messages: [chat('b')], withdrawn: ['a'], cursor: 0 }),
      /UNIQUE constraint failed: messages_in.seq/,
    );
    assert.deepEqual(seqsIn(world), [['a', 2]]);
    astray.run('update meta set seq_high = 2');
    assert.equal(writer.project({ messages: [chat('b')], cursor: 0 }), 1);
    astray.close();
    writer.close();
  }));

test('the host mints above the cursor, and no number twice after pruning or a rebuild', () =>
  inWorld((world) => {
    const writer = new InboundWriter(world.inbound, durable);
    assert.equal(writer.sessionId(), '');
    writer.adopt('s1', 0);
    assert.equal(writer.sessionId(), 's1');
    writer.project({ messages: [chat('a'), chat('b')], cursor: 7 });
    assert.deepEqual(seqsIn(world), [
      ['a', 8],
      ['b', 10],
    ]);
    assert.equal(writer.prune(new Set(), 0), 2);
    writer.project({ messages: [chat('c')], cursor: 0 });
    assert.deepEqual(seqsIn(world), [['c', 12]]);
    writer.close();
    copyFileSync(join(world.folder, 'inbound.template'), world.inbound);
    const rebuilt = new InboundWriter(world.inbound, durable);
    rebuilt.adopt('s1', 12);
    rebuilt.adopt('s1', 3);
    rebuilt.project({ messages: [chat('c'), chat('d')], cursor: 7 });
    assert.deepEqual(seqsIn(world), [
      ['c', 14],
      ['d', 16],
    ]);
    rebuilt.close();
  }));

test('seq_floor only rises, whatever a later projection says', () =>
  inWorld((world) => {
    const writer = new InboundWriter(world.inbound, durable);
    const routing = { agent: 'a', provider: 'mock', model: 'm', api: null, zone: 'UTC', folder: null };
    const reader = new InboundReader(world.inbound);
    writer.project({ routing: { ...routing, seqFloor: 11 }, cursor: 11 });
    writer.project({ routing: { ...routing, seqFloor: 5 }, cursor: 5 });
    assert.equal(reader.routing().seqFloor, 11);
    writer.project({ cursor: 13 });
    assert.equal(reader.routing().seqFloor, 13);
    reader.close();
    writer.close();
  }));

test('the runner mints odd numbers above what it saw, one counter for messages and acks', () =>
  inWorld((world) => {
    const run = new OutboundWriter(world.outbound, 1, durable);
    assert.deepEqual(run.write('say', { messages: [message('a'), message('b')], seenSeq: 4 }), [5, 7]);
    assert.deepEqual(run.write('settle', { messages: [message('c')], acks: [done('x'), done('y')], seenSeq: 0 }), [9]);
    assert.deepEqual(run.write('say', { messages: [message('d')], seenSeq: 0 }), [15]);
    assert.deepEqual(
      rowsOut(world).acks.map((row) => row.seq),
      [11, 13],
    );
    run.close();
  }));

test('a reply after pruning has a seq above the cursor', () =>
  inWorld((world) => {
    const run = new OutboundWriter(world.outbound, 1, durable);
    run.write('settle', { messages: [message('a'), message('b')], acks: [done('x')], seenSeq: 2 });
    const { cursor } = rowsOut(world);
    assert.equal(cursor, 7);
    assert.equal(run.prune(cursor, []), 3);
    assert.equal(rowsOut(world).cursor, 0);
    const [seq = 0] = run.write('say', { messages: [message('c')], seenSeq: 0 });
    assert.equal(seq, 9);
    assert.deepEqual(
      rowsOut(world, cursor).messages.map((row) => row.id),
      ['c'],
    );
    run.close();
    const next = new OutboundWriter(world.outbound, 2, durable);
    assert.deepEqual(next.write('say', { messages: [message('d')], seenSeq: 0 }), [11]);
    next.close();
  }));

test('pruning outbound leaves what is not collected, and answers to open messages', () =>
  inWorld((world) => {
    const run = new OutboundWriter(world.outbound, 1, durable);
    run.write('settle', { messages: [message('old', 'old', ['x'])], acks: [done('x')], seenSeq: 0 });
    run.write('say', { messages: [message('open', 'open', ['y'])], seenSeq: 0 });
    run.write('say', { messages: [message('new', 'new', ['z'])], seenSeq: 0 });
    assert.ok(run.isSettled('x'));
    assert.equal(run.prune(5, ['y']), 2);
    assert.deepEqual(
      rowsOut(world).messages.map((row) => row.id),
      ['open', 'new'],
    );
    assert.ok(!run.isSettled('x'));
    assert.equal(
      run.pruneIfLarge(() => 99, []),
      0,
    );
    run.close();
  }));

test('an outbound file past its mark is pruned, and its pages are used again', () =>
  inWorld((world) => {
    const run = new OutboundWriter(world.outbound, 1, durable);
    const text = 'x'.repeat(LIMITS.textOutBytes);
    let seq = 0;
    const fill = (round: number): void => {
      const batch = Array.from({ length: 34 }, (_, at) => message(`${round}-${at}`, text));
      seq = run.write('settle', { messages: batch, seenSeq: 0 }).at(-1) ?? 0;
    };
    for (let round = 0; round < 3; round += 1) {
      fill(round);
      assert.equal(
        run.pruneIfLarge(() => seq, []),
        34,
      );
    }
    const file = new SessionFile(world.outbound, { access: 'reads', timeoutMs: 250, version: OUTBOUND_VERSION });
    const bytes = Number(file.pragma('page_count')) * Number(file.pragma('page_size'));
    assert.ok(bytes < LIMITS.outboundDbBytes, `${bytes} bytes`);
    file.close();
    run.close();
  }));

test('pruning inbound leaves open rows and newer receipts', () =>
  inWorld((world) => {
    const writer = new InboundWriter(world.inbound, durable);
    const receipts = [1, 3, 5].map((seq) => ({
      seq,
      status: 'delivered' as const,
      platformId: null,
      reason: null,
      timestamp: AT,
    }));
    writer.project({ messages: [chat('a'), chat('b')], receipts, cursor: 0 });
    assert.equal(writer.prune(new Set(['b']), 3), 1);
    const file = new SessionFile(world.inbound, { access: 'reads', timeoutMs: 250, version: 1 });
    assert.deepEqual(
      file.all('select seq from delivered').map((row) => row.seq),
      [5],
    );
    assert.deepEqual(seqsIn(world), [['b', 4]]);
    file.close();
    writer.close();
  }));

test('a message id is written out once', () =>
  inWorld((world) => {
    const run = new OutboundWriter(world.outbound, 1, durable);
    run.write('say', { messages: [message('a')], seenSeq: 0 });
    assert.throws(
      () => run.write('say', { messages: [message('b'), message('a')], seenSeq: 0 }),
      (error) => !isFault(error) && /UNIQUE/.test(String(error)),
    );
    assert.deepEqual(
      rowsOut(world).messages.map((row) => row.id),
      ['a'],
    );
    run.close();
  }));

test('destinations are replaced as a whole', () =>
  inWorld((world) => {
    const writer = new InboundWriter(world.inbound, durable);
    const to = (localName: string) => ({
      localName,
      targetType: 'chat' as const,
      address: { channel: 'c', chat: localName, thread: null },
    });
    const reader = new InboundReader(world.inbound);
    writer.project({ destinations: [to('b'), to('a')], cursor: 0 });
    assert.deepEqual(reader.destinations(), [to('a'), to('b')]);
    assert.throws(() => writer.project({ destinations: [to('c'), to('c')], cursor: 0 }), /UNIQUE/);
    assert.deepEqual(reader.destinations(), [to('a'), to('b')]);
    writer.project({ cursor: 0 });
    assert.equal(reader.destinations().length, 2);
    writer.project({ destinations: [], cursor: 0 });
    assert.deepEqual(reader.destinations(), []);
    reader.close();
    writer.close();
  }));
