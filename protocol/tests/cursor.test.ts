import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ACKS_ABOVE,
  OUTBOUND_VERSION,
  OutboundWriter,
  readOutboundRows,
  ROWS_ABOVE,
  SAID_BEFORE,
} from '../outbound.ts';
import { MESSAGES_ABOVE } from '../inbound.ts';
import { SessionFile } from '../sqlite.ts';
import { done, message } from './rows.ts';
import { durable, inWorld, OWN, randomFrom, RUNTIMES, type World } from './world.ts';

const open = (world: World, timeoutMs = 250): SessionFile =>
  new SessionFile(world.outbound, { access: 'reads', timeoutMs, version: OUTBOUND_VERSION });

const seqs = (rows: { messages: { seq?: unknown }[]; acks: { seq?: unknown }[] }): number[] =>
  [...rows.messages, ...rows.acks].map((row) => Number(row.seq)).sort((a, b) => a - b);

test('a read cut by its limit moves the cursor no further than it went', () =>
  inWorld((world) => {
    const run = new OutboundWriter(world.outbound, 1, durable);
    // Messages 1, 3, 5; acks 7, 9; messages 11; acks 13.
    run.write('settle', {
      messages: [message('a'), message('b'), message('c')],
      acks: [done('x'), done('y')],
      seenSeq: 0,
    });
    run.write('settle', { messages: [message('d')], acks: [done('z')], seenSeq: 0 });
    const file = open(world);
    assert.deepEqual(seqs(readOutboundRows(file, 0, 2)), [1, 3]);
    assert.deepEqual(seqs(readOutboundRows(file, 0, 3)), [1, 3, 5]);
    assert.deepEqual(seqs(readOutboundRows(file, 3, 2)), [5, 7, 9]);
    assert.equal(readOutboundRows(file, 3, 2).cursor, 9);
    assert.deepEqual(seqs(readOutboundRows(file, 9, 2)), [11, 13]);
    const none = readOutboundRows(file, 13, 2);
    assert.deepEqual([none.cursor, none.messages, none.acks], [13, [], []]);
    file.close();
    run.close();
  }));

test('against a model: under any interleaving every row is read once, in order', { timeout: 240_000 }, () =>
  inWorld((world) => {
    const run = new OutboundWriter(world.outbound, 1, durable);
    const file = open(world);
    let id = 0;
    let cursor = 0;
    for (let seed = 1; seed <= 150; seed += 1) {
      const random = randomFrom(seed);
      const limit = 1 + random(6);
      const taken: number[] = [];
      const model: number[] = [];
      const read = (): number => {
        const rows = readOutboundRows(file, cursor, limit);
        const found = seqs(rows);
        assert.ok(rows.messages.length <= limit && rows.acks.length <= limit, `seed ${seed}`);
        assert.ok(
          found.every((seq) => seq > cursor && seq <= rows.cursor),
          `seed ${seed}`,
        );
        assert.equal(rows.cursor, found.at(-1) ?? cursor, `seed ${seed}`);
        taken.push(...found);
        cursor = rows.cursor;
        return found.length;
      };
      for (let write = 1 + random(4); write > 0; write -= 1) {
        const messages = Array.from({ length: random(9) }, () => message(`m${(id += 1)}`));
        const acks = Array.from({ length: random(9) }, () => done(`x${(id += 1)}`));
        run.write('settle', { messages, acks, seenSeq: random(2) * (cursor + random(8)) });
        if (random(2) === 1) read();
      }
      while (read() > 0);
      const all = file.all('select seq from messages_out union all select seq from processing_ack order by seq');
      model.push(...all.map((row) => Number(row.seq)));
      assert.deepEqual(taken, model, `seed ${seed}`);
      run.prune(cursor, []);
    }
    file.close();
    run.close();
  }),
);

for (const peer of RUNTIMES) {
  test(
    `a reader under ${OWN} sees whole transactions only while a run under ${peer} commits`,
    { timeout: 240_000 },
    () =>
      inWorld(async (world) => {
        const churn = world.peer(peer, 'churn', { ...world, run: 1, bigBytes: 3_000_000 });
        await churn.line();
        const file = open(world, 2_000);
        const seen = new Map<string, number>();
        let cursor = 0;
        let reads = 0;
        while (seen.size < 60) {
          const rows = readOutboundRows(file, cursor, 1_000);
          reads += 1;
          for (const row of rows.messages) seen.set(String(row.turn), (seen.get(String(row.turn)) ?? 0) + 1);
          assert.equal(rows.messages.length, 3 * rows.acks.length);
          cursor = rows.cursor;
          await new Promise((resolve) => setImmediate(resolve));
        }
        assert.ok(reads > 5, `${reads} reads`);
        assert.ok([...seen.values()].every((parts) => parts === 3));
        file.close();
      }),
  );
}

test('the cost of a read depends on its range: every plan goes through a key', () =>
  inWorld((world) => {
    const plan = (path: string, sql: string, values: (string | number)[]): string[] => {
      const file = new SessionFile(path, { access: 'reads', timeoutMs: 250, version: 1 });
      const steps = file.all(`explain query plan ${sql}`, ...values).map((row) => String(row.detail));
      file.close();
      return steps;
    };
    const key = 'USING INTEGER PRIMARY KEY (rowid>?)';
    assert.deepEqual(plan(world.inbound, MESSAGES_ABOVE, [0, 50]), [
      'SEARCH messages_in USING INDEX sqlite_autoindex_messages_in_2 (seq>?)',
    ]);
    assert.deepEqual(plan(world.outbound, ROWS_ABOVE, [0, 50]), [`SEARCH messages_out ${key}`]);
    assert.deepEqual(plan(world.outbound, ACKS_ABOVE, [0, 50]), [`SEARCH processing_ack ${key}`]);
    const said = plan(world.outbound, SAID_BEFORE, [0, 2_000, 1, '[]']);
    assert.equal(said[0], `SEARCH o ${key}`);
    assert.ok(!said.some((step) => /SCAN (o|messages_out|processing_ack)\b|TEMP B-TREE/.test(step)), said.join(' | '));
  }));
