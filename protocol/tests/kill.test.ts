import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { isFault } from '../fault.ts';
import { OUTBOUND_VERSION, OutboundWriter, readOutboundRows } from '../outbound.ts';
import { SessionFile } from '../sqlite.ts';
import { message } from './rows.ts';
import { assertOrdinaryUser, durable, inWorld, OWN, randomFrom, RUNTIMES, type World } from './world.ts';

const KILLS_EACH = 100;
const OUT_FILES = ['heartbeat', 'outbound.db', 'outbound.db-journal', 'progress'];

/** A commit under way on a busy disk is waited for. */
const open = (world: World): SessionFile =>
  new SessionFile(world.outbound, { access: 'reads', timeoutMs: 10_000, version: OUTBOUND_VERSION });

/** True when a reader is told that a transaction was cut off here. Any other fault fails the test. */
function isHot(world: World): boolean {
  try {
    open(world).close();
    return false;
  } catch (error) {
    assert.ok(isFault(error, 'hot-journal'), String(error));
    assert.notEqual(error.next, '');
    return true;
  }
}

/** The last turn that is in the file; every turn up to it must be there whole. */
function lastWhole(world: World, cursor: { at: number; turn: number }): number {
  const file = open(world);
  const { rows, state } = file.read(() => {
    const [last] = file.all('select substr(value, 1, 20) as start from session_state');
    const state = Number(String(last?.start ?? '0').split(':', 1)[0]);
    return { rows: readOutboundRows(file, cursor.at, 100_000), state };
  });
  file.close();
  const turns = rows.acks.map((row) => Number(String(row.message_id).slice(1)));
  assert.deepEqual(
    turns,
    Array.from(turns, (_, at) => cursor.turn + 1 + at),
    'turns follow each other',
  );
  assert.equal(rows.messages.length, 3 * turns.length, 'no half turn');
  cursor.at = rows.cursor;
  cursor.turn = turns.at(-1) ?? cursor.turn;
  assert.equal(state, cursor.turn, 'state and rows are of one commit');
  return cursor.turn;
}

for (const peer of RUNTIMES) {
  test(
    `${KILLS_EACH} kills in mid-commit in a read-only folder: run under ${peer}, reader under ${OWN}`,
    { timeout: 600_000 },
    () =>
      inWorld(async (world) => {
        assertOrdinaryUser();
        const random = randomFrom(peer.length);
        const cursor = { at: 0, turn: 0 };
        let hot = 0;
        let committed = 0;
        for (let run = 1; run <= KILLS_EACH; run += 1) {
          const churn = world.peer(peer, 'churn', { ...world, run, bigBytes: 3_000_000 });
          const opened = Number((await churn.line()).open);
          assert.ok(opened >= committed, `run ${run} opened at ${opened}, ${committed} was committed`);
          assert.equal(lastWhole(world, cursor) >= opened, true);
          for (let steps = random(4); steps > 0; steps -= 1) committed = Number((await churn.line()).committed);
          const instant = random(25);
          await new Promise((resolve) => setTimeout(resolve, instant));
          await churn.kill();
          while (churn.waiting()) committed = Number((await churn.line()).committed);
          if (isHot(world)) hot += 1;
        }
        const last = new OutboundWriter(world.outbound, KILLS_EACH + 1, durable);
        assert.ok(lastWhole(world, cursor) >= committed, 'the last commit is there');
        assert.deepEqual(readdirSync(world.outDir).sort(), OUT_FILES);
        last.close();
        console.log(`# ${KILLS_EACH} kills of a run under ${peer}: ${hot} hot journals, ${committed} commits, 0 lost`);
        assert.ok(hot > 0, 'no kill left a hot journal: nothing was shown');
      }),
  );

  test(`a hot journal with nothing pending: told by readers, cleared by an open (cut off under ${peer})`, () =>
    inWorld(async (world) => {
      assertOrdinaryUser();
      const first = new OutboundWriter(world.outbound, 1, durable);
      first.write('say', { messages: [message('kept')], seenSeq: 0 });
      first.close();
      const whole = readFileSync(world.outbound);
      const cut = world.peer(peer, 'cut-off', world);
      assert.deepEqual(await cut.exit, { code: null, signal: 'SIGKILL' });
      assert.ok(statSync(world.outbound).size > whole.length, 'part of the transaction is in the file');
      for (let again = 0; again < 2; again += 1) assert.ok(isHot(world), 'reading does not mend it');
      const recovering = new OutboundWriter(world.outbound, 2, durable);
      assert.ok(!isHot(world));
      const file = open(world);
      assert.deepEqual(
        readOutboundRows(file, 0, 9).messages.map((row) => row.id),
        ['kept'],
      );
      assert.equal(file.all('select seq_high from meta')[0]?.seq_high, 1);
      assert.deepEqual(file.all('select * from session_state'), []);
      file.close();
      assert.deepEqual(recovering.write('say', { messages: [message('next')], seenSeq: 0 }), [3]);
      recovering.close();
      assert.deepEqual(readdirSync(world.outDir).sort(), OUT_FILES);
    }));
}

test('a reader that stays open is told of the cut-off transaction too, and reads on after it is taken back', () =>
  inWorld(async (world) => {
    assertOrdinaryUser();
    const file = open(world);
    assert.equal(readOutboundRows(file, 0, 9).cursor, 0);
    await world.peer(OWN, 'cut-off', world).exit;
    assert.throws(
      () => readOutboundRows(file, 0, 9),
      (error) => isFault(error, 'hot-journal'),
    );
    const recovering = new OutboundWriter(world.outbound, 1, durable);
    recovering.write('say', { messages: [message('a')], seenSeq: 0 });
    assert.equal(readOutboundRows(file, 0, 9).cursor, 1);
    recovering.close();
    file.close();
  }));
