// needs: userns
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { makeDurable } from '@halfdoor/protocol/durable';
import { OutboundWriter } from '@halfdoor/protocol/runner';
import { systemClock } from '../../host/clock.ts';
import { homeAt, sessionPaths } from '../../host/home.ts';
import { makeLog } from '../../host/log.ts';
import type { OutboundReader, ReadResult } from '../../host/outbound/reader.ts';
import { startReader } from '../../host/outbound/reader-process.ts';
import { ensureTemplates, makeSessionFolder } from '../../host/sessions/folder.ts';
import { bunPath, distPath } from '../world/programs.ts';

const BAD = '01900000-0000-7000-8000-00000000000b';
const GOOD = '01900000-0000-7000-8000-00000000000a';

type Place = { out: string; outbound: string; reader: OutboundReader; folder: string };

/** One session of an attacker and one of somebody else; afterwards the other one must still be read. */
function attack(name: string, walled: boolean, body: (place: Place) => Promise<void>): void {
  test(`${walled ? 'walled' : 'plain'} reader: ${name}`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'hd-reader-'));
    const home = homeAt(join(folder, 'home'));
    const durable = makeDurable();
    for (const dir of [home.sessions, home.out]) mkdirSync(dir, { recursive: true });
    const templates = ensureTemplates(home, durable);
    for (const id of [BAD, GOOD]) {
      const { outbound } = makeSessionFolder(home, templates, id, durable);
      say(outbound, 1);
    }
    const program = { bun: bunPath(), folder: distPath(), entry: 'runner.js' };
    const log = makeLog(
      () => undefined,
      () => new Date(),
    );
    const reader = startReader({ home, program, clock: systemClock, log, walled });
    t.after(async () => {
      await reader.close();
      rmSync(folder, { recursive: true, force: true });
    });
    const { out, outbound } = sessionPaths(home, BAD);
    await body({ out, outbound, reader, folder });
    const other = await reader.read(GOOD, 0);
    assert.ok(other.ok, JSON.stringify(other));
    assert.equal(other.messages.length, 1);
    const beside = readdirSync(out).filter((file) => /-(wal|shm)$/.test(file));
    assert.deepEqual(beside, [], 'the reader made files of its own');
  });
}

function say(outbound: string, run: number): void {
  const writer = new OutboundWriter(outbound, run, makeDurable());
  const timestamp = '2026-01-02T03:04:05.678Z';
  const message = { kind: 'message' as const, destination: 'home', thread: null, text: `run ${run}` };
  writer.write('say', {
    messages: [{ id: crypto.randomUUID(), turn: 't', answers: [], timestamp, ...message }],
    seenSeq: 0,
  });
  writer.close();
}

const failureOf = (result: ReadResult): string => (result.ok ? 'ok' : result.failure);

function overwrite(path: string, at: number, bytes: number[]): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, Buffer.from(bytes), 0, bytes.length, at);
  closeSync(fd);
}

const ATTACKS: [name: string, expected: string, act: (place: Place) => void][] = [
  ['a WAL header', 'refused', ({ outbound }) => overwrite(outbound, 18, [2, 2])],
  ['a FIFO in its place', 'refused', ({ outbound }) => (unlinkSync(outbound), execFileSync('mkfifo', [outbound]))],
  [
    'a link to a file of the host',
    'refused',
    ({ outbound }) => (unlinkSync(outbound), symlinkSync('/etc/passwd', outbound)),
  ],
  ['a folder in its place', 'refused', ({ outbound }) => (unlinkSync(outbound), mkdirSync(outbound))],
  ['a sparse terabyte', 'too-large', ({ outbound }) => truncateSync(outbound, 2 ** 40)],
  ['a page more than the limit', 'too-large', ({ outbound }) => truncateSync(outbound, 16 * 1024 * 1024 + 4096)],
  ['nothing in it', 'refused', ({ outbound }) => truncateSync(outbound, 0)],
  ['garbage', 'refused', ({ outbound }) => writeFileSync(outbound, Buffer.alloc(20_000, 0xa5))],
  ['cut in the middle', 'refused', ({ outbound }) => truncateSync(outbound, 4096)],
  ['no file at all', 'gone', ({ outbound }) => unlinkSync(outbound)],
  ['a view more', 'refused', ({ outbound }) => sql(outbound, 'create view v as select 1')],
  [
    'a trigger',
    'refused',
    ({ outbound }) => sql(outbound, 'create trigger t after insert on messages_out begin select 1; end'),
  ],
  ['a newer version', 'newer-version', ({ outbound }) => sql(outbound, 'pragma user_version = 99')],
];

function sql(path: string, text: string): void {
  const db = new DatabaseSync(path);
  db.exec(text);
  db.close();
}

for (const walled of [true, false]) {
  for (const [name, expected, act] of ATTACKS) {
    attack(name, walled, async (place) => {
      act(place);
      assert.equal(failureOf(await place.reader.read(BAD, 0)), expected);
    });
  }
}

attack('the line files may be FIFOs, links, or a terabyte: they read as empty', true, async ({ out, reader }) => {
  for (const name of ['heartbeat', 'progress']) unlinkSync(join(out, name));
  execFileSync('mkfifo', [join(out, 'heartbeat')]);
  symlinkSync('/proc/1/environ', join(out, 'progress'));
  const result = await reader.read(BAD, 0);
  assert.ok(result.ok);
  assert.deepEqual([result.heartbeat, result.progress], ['', '']);
});

attack('60,000 views are cut off at the deadline, and the reader comes back', true, async ({ outbound, reader }) => {
  // Straight into the schema table: CREATE VIEW itself would take minutes.
  const db = new DatabaseSync(outbound, { defensive: false });
  db.exec(`pragma writable_schema = on;
    with recursive n(i) as (select 1 union all select i + 1 from n where i < 60000)
    insert into sqlite_schema select 'view', 'v' || i, 'v' || i, 0, 'create view v' || i || ' as select 1' from n`);
  db.close();
  assert.ok(['timeout', 'refused', 'too-large'].includes(failureOf(await reader.read(BAD, 0))));
});

attack('a file that is locked is asked again later, not refused', true, async ({ outbound, reader }) => {
  const db = new DatabaseSync(outbound);
  db.exec('begin exclusive');
  assert.equal(failureOf(await reader.read(BAD, 0)), 'locked');
  db.exec('rollback');
  db.close();
  assert.equal(failureOf(await reader.read(BAD, 0)), 'ok');
});

attack('a hot journal is told, and gone after the next run has opened the file', true, async ({ outbound, reader }) => {
  const program = `
    const { DatabaseSync } = require('node:sqlite');
    const db = new DatabaseSync(${JSON.stringify(outbound)});
    db.exec('pragma journal_mode = persist; pragma cache_size = 1; begin immediate; create table grown (a); ');
    for (let n = 0; n < 200; n++) db.exec("insert into grown values (zeroblob(3000))");
    process.kill(process.pid, 'SIGKILL');`;
  assert.throws(() => execFileSync(process.execPath, ['-e', program], { stdio: 'ignore' }));
  assert.equal(failureOf(await reader.read(BAD, 0)), 'hot-journal');
  say(outbound, 2);
  const result = await reader.read(BAD, 0);
  assert.ok(result.ok);
  assert.equal(result.messages.length, 2);
});

attack(
  'killed in the middle of its work, the next one answers everything that waited',
  true,
  async ({ reader, folder }) => {
    assert.equal(failureOf(await reader.read(BAD, 0)), 'ok');
    const asked = Array.from({ length: 20 }, () => reader.read(BAD, 0));
    const pids = readdirSync('/proc').filter(
      (pid) => /^\d+$/.test(pid) && argvOf(pid).includes(join(folder, 'home', 'out')),
    );
    assert.ok(pids.length >= 1);
    for (const pid of pids) process.kill(Number(pid), 'SIGKILL');
    for (const result of await Promise.all(asked)) assert.equal(failureOf(result), 'ok');
  },
);

function argvOf(pid: string): string[] {
  const path = `/proc/${pid}/cmdline`;
  try {
    return existsSync(path) ? readFileSync(path, 'utf8').split('\0') : [];
  } catch {
    return [];
  }
}

attack('a session that does not exist is no way out of the folder', true, async ({ reader }) => {
  for (const name of ['../home', '..', '/etc', '']) assert.notEqual(failureOf(await reader.read(name, 0)), 'ok', name);
});
