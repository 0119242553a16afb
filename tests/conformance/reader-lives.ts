/** What becomes of the reader process itself: cut off at its deadline, killed, replaced, closed; and of those who wait. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseSync } from 'node:sqlite';
import { sessionPaths } from '../../host/home.ts';
import { isAlive, untilGone } from '../../host/sandboxes/launched.ts';
import { processSandbox } from '../../host/sandboxes/process.ts';
import { bunPath, distPath } from '../world/programs.ts';
import {
  BAD,
  failureOf,
  filesOpen,
  GOOD,
  readerPids,
  say,
  sql,
  textsOf,
  type Attack,
  type Place,
} from './reader-stage.ts';
import { killOne } from '../world/kill.ts';

/** Straight into the schema table: CREATE VIEW itself would take minutes. */
const VIEWS = `pragma writable_schema = on;
  with recursive n(i) as (select 1 union all select i + 1 from n where i < 60000)
  insert into sqlite_schema select 'view', 'v' || i, 'v' || i, 0, 'create view v' || i || ' as select 1' from n`;

function deadlineCases(attack: Attack): void {
  const slow: [name: string, act: (place: Place) => void][] = [
    [
      '60,000 views',
      ({ outbound, clock }) => {
        clock.slower = 1; // they take longer than the real deadline, and not much longer
        sql(outbound, VIEWS);
      },
    ],
    [
      'a FIFO for a journal',
      ({ out }) => {
        unlinkSync(join(out, 'outbound.db-journal'));
        execFileSync('mkfifo', [join(out, 'outbound.db-journal')]);
      },
    ],
  ];
  for (const [name, act] of slow) {
    attack(`${name}: cut off at the deadline, and a new reader serves who waits behind it`, async (place) => {
      const { reader } = place;
      assert.equal(failureOf(await reader.read(GOOD, 0)), 'ok');
      const before = readerPids();
      act(place);
      const asked = [BAD, GOOD, BAD, GOOD].map((id) => reader.read(id, 0));
      assert.deepEqual((await Promise.all(asked)).map(failureOf), ['timeout', 'ok', 'timeout', 'ok']);
      await untilGone(before);
      assert.ok(readerPids().length > 0);
      assert.equal(place.log().match(/a read took too long/g)?.length, 2);
    });
  }
}

/** The processes of a reader that is none of `before`, once there is one. */
async function another(before: readonly number[]): Promise<number[]> {
  for (;;) {
    const pids = readerPids().filter((pid) => !before.includes(pid));
    if (pids.length > 0) return pids;
    await sleep(1);
  }
}

/** The outermost of them, unless it has ended by itself. */
function end([outer]: readonly number[], signal: NodeJS.Signals): void {
  if (outer !== undefined && isAlive(outer)) process.kill(outer, signal);
}

function startCases(attack: Attack): void {
  attack('one that is stopped or killed in its start is replaced, and who waits is served', async (place) => {
    const { reader } = place;
    assert.equal(failureOf(await reader.read(GOOD, 0)), 'ok');
    const signals = ['SIGSTOP', ...Array.from({ length: 12 }, () => 'SIGKILL' as const)] as const;
    for (const [n, signal] of signals.entries()) {
      const before = await another([]);
      end(before, 'SIGKILL');
      const asked = reader.read(GOOD, 0);
      const starting = await another(before);
      // Not a wait for something: each time a little later, so that every moment of a start has its turn.
      for (const until = performance.now() + n / 2; performance.now() < until;);
      end(starting, signal);
      assert.ok(['ok', 'timeout'].includes(failureOf(await asked)));
    }
  });
}

function passingCases(attack: Attack): void {
  attack('a file that is locked is told as such, and read once it is free', async ({ outbound, reader, log }) => {
    const db = new DatabaseSync(outbound);
    db.exec('begin exclusive');
    for (let n = 0; n < 3; n++) assert.equal(failureOf(await reader.read(BAD, 0)), 'locked');
    db.exec('rollback');
    db.close();
    assert.deepEqual(textsOf(await reader.read(BAD, 0)), [BAD]);
    assert.equal(log(), '');
  });

  attack('a hot journal is told as such until a run with --recover has taken it back', async (place) => {
    const { outbound, reader } = place;
    const program = `
      const { DatabaseSync } = require('node:sqlite');
      const db = new DatabaseSync(${JSON.stringify(outbound)});
      db.exec('pragma journal_mode = persist; pragma cache_size = 1; begin immediate; delete from messages_out');
      db.exec('create table grown (a)');
      for (let n = 0; n < 200; n++) db.exec('insert into grown values (zeroblob(3000))');
      process.kill(process.pid, 'SIGKILL');`;
    assert.throws(() => execFileSync(process.execPath, ['-e', program], { stdio: 'ignore' }));
    for (let n = 0; n < 2; n++) assert.equal(failureOf(await reader.read(BAD, 0)), 'hot-journal');
    const recovery = await processSandbox().start(recoverySpec(place));
    assert.deepEqual(await recovery.gone, { code: 0, signal: null, stderr: '' });
    assert.deepEqual(textsOf(await reader.read(BAD, 0)), [BAD]);
    say(outbound, 3, 'on');
    assert.deepEqual(textsOf(await reader.read(BAD, 0)), [BAD, 'on']);
  });
}

function recoverySpec({ home, folder, out }: Place): Parameters<ReturnType<typeof processSandbox>['start']>[0] {
  const { folder: session, work } = sessionPaths(home, BAD);
  const [agentDir, socketDir] = [join(folder, 'agent'), join(folder, 'run')];
  for (const dir of [agentDir, socketDir]) mkdirSync(dir);
  const program = { bun: bunPath(), folder: distPath(), entry: 'runner.js' };
  const dirs = { inDir: join(session, 'in'), outDir: out, workDir: work, agentDir, socketDir };
  return { label: home.label, sessionId: BAD, ...dirs, folder: null, run: 2, recover: true, program };
}

function killCases(attack: Attack): void {
  const whom: [name: string, pick: (pids: number[]) => number | undefined][] = [
    ['its innermost process', (pids) => pids.at(-1)],
    ['its outermost process', (pids) => pids[0]],
  ];
  for (const [name, pick] of whom) {
    attack(`${name} killed in mid-request: the next reader answers all who waited`, async ({ reader, log }) => {
      assert.equal(failureOf(await reader.read(BAD, 0)), 'ok');
      const before = readerPids();
      // Held, so that the request is under way for certain when the end comes.
      killOne(before.at(-1), 'SIGSTOP');
      const asked = Array.from({ length: 12 }, (_, n) => reader.read(n % 2 ? GOOD : BAD, 0));
      killOne(pick(before), 'SIGKILL');
      for (const [n, result] of (await Promise.all(asked)).entries()) {
        assert.deepEqual(textsOf(result), [n % 2 ? GOOD : BAD]);
      }
      await untilGone(before);
      assert.equal(log().match(/the reader ended/g)?.length, 1);
    });
  }

  attack('killed while nobody asks, it is there again for the next who does', async ({ reader }) => {
    for (let n = 0; n < 3; n++) {
      assert.equal(failureOf(await reader.read(BAD, 0)), 'ok');
      const pids = readerPids();
      killOne(pids.at(-1), 'SIGKILL');
      await untilGone(pids);
    }
  });

  attack('closed, it answers who waited and who comes after, and leaves no process', async ({ reader, reopen }) => {
    assert.equal(failureOf(await reader.read(BAD, 0)), 'ok');
    const pids = readerPids();
    killOne(pids.at(-1), 'SIGSTOP');
    const waiting = reader.read(BAD, 0);
    await reader.close();
    const ending = { ok: false, failure: 'timeout', detail: 'the host is ending' };
    assert.deepEqual([await waiting, await reader.read(GOOD, 0)], [ending, ending]);
    await untilGone(pids);
    assert.deepEqual(readerPids(), []);
    reopen();
  });
}

function crowdCases(attack: Attack): void {
  attack('forty sessions at once, hostile ones among them, each get what is theirs', async (place) => {
    const { reader, addSession } = place;
    const ids = Array.from({ length: 40 }, (_, n) => `01900000-0000-7000-8000-0000000001${String(n).padStart(2, '0')}`);
    for (const id of ids) addSession(id);
    const spoilt = new Set(ids.filter((_, n) => n % 8 === 3));
    for (const id of spoilt) unlinkSync(sessionPaths(place.home, id).outbound);
    const asked = Array.from({ length: 5 }, () => ids).flat();
    const results = await Promise.all(asked.map((id) => reader.read(id, 0)));
    for (const [n, result] of results.entries()) {
      const id = asked[n] ?? '';
      if (spoilt.has(id)) assert.equal(failureOf(result), 'gone');
      else assert.deepEqual(textsOf(result), [id]);
    }
    assert.equal(place.log(), '');
  });

  attack(
    'a session that is forgotten has no file open, and is read again when it wakes',
    async ({ reader, outbound }) => {
      const open = (): number => filesOpen().filter((it) => it.endsWith(`${BAD}/outbound.db`)).length;
      assert.equal(failureOf(await reader.read(BAD, 0)), 'ok');
      assert.ok(open() > 0);
      reader.forget(BAD);
      // Requests are answered in order: once this one is, the other is forgotten.
      assert.equal(failureOf(await reader.read(GOOD, 0)), 'ok');
      assert.equal(open(), 0);
      say(outbound, 2, 'awake');
      assert.deepEqual(textsOf(await reader.read(BAD, 0)), [BAD, 'awake']);
    },
  );
}

export function lifeCases(attack: Attack): void {
  deadlineCases(attack);
  startCases(attack);
  passingCases(attack);
  killCases(attack);
  crowdCases(attack);
}
