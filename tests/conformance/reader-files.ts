/** What an agent may have put in the place of its files, and what the reader makes of each. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { LIMITS } from '@halfdoor/protocol/limits';
import { BAD, failureOf, say, sql, textsOf, type Attack, type Place } from './reader-stage.ts';

function overwrite(path: string, at: number, bytes: number[]): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, Buffer.from(bytes), 0, bytes.length, at);
  closeSync(fd);
}

const fifo = (path: string): void => void execFileSync('mkfifo', [path]);

/** Takes the file away and puts something else there. */
function instead(path: string, put: (path: string) => void): void {
  unlinkSync(path);
  put(path);
}

type Case = [name: string, failure: string, detail: RegExp, act: (place: Place) => void];

const KINDS: readonly Case[] = [
  ['a FIFO in its place', 'refused', /not a plain file/, ({ outbound }) => instead(outbound, fifo)],
  ['a folder in its place', 'refused', /not a plain file/, ({ outbound }) => instead(outbound, mkdirSync)],
  [
    'a link to a file of the machine',
    'refused',
    /^not a plain file$/,
    ({ outbound }) => instead(outbound, (path) => symlinkSync('/etc/passwd', path)),
  ],
  [
    'a link to the file of another session',
    'refused',
    /^not a plain file$/,
    ({ outbound }) => instead(outbound, (path) => symlinkSync(outbound.replace(/b\/outbound/, 'a/outbound'), path)),
  ],
  ['no file at all', 'gone', /no such file/, ({ outbound }) => unlinkSync(outbound)],
  ['a sparse terabyte', 'too-large', /1099511627776 bytes/, ({ outbound }) => truncateSync(outbound, 2 ** 40)],
  [
    'a byte more than the limit',
    'too-large',
    /bytes/,
    ({ outbound }) => truncateSync(outbound, LIMITS.outboundDbBytes + 1),
  ],
];

const CONTENTS: readonly Case[] = [
  ['a WAL header', 'refused', /journal format 2\/2/, ({ outbound }) => overwrite(outbound, 18, [2, 2])],
  ['half a WAL header', 'refused', /journal format 1\/2/, ({ outbound }) => overwrite(outbound, 19, [2])],
  ['nothing in it', 'refused', /no SQLite header/, ({ outbound }) => truncateSync(outbound, 0)],
  ['99 bytes of it', 'refused', /no SQLite header/, ({ outbound }) => truncateSync(outbound, 99)],
  ['garbage', 'refused', /no SQLite header/, ({ outbound }) => writeFileSync(outbound, Buffer.alloc(20_000, 0xa5))],
  ['cut after the first page', 'refused', /not a sound session file/, ({ outbound }) => truncateSync(outbound, 4096)],
  [
    'garbage behind a sound header',
    'refused',
    /not a sound session file/,
    ({ outbound }) =>
      overwrite(
        outbound,
        100,
        Array.from({ length: 3000 }, () => 0xa5),
      ),
  ],
  ['a journal that is a folder', 'refused', /disk/, ({ out }) => instead(join(out, 'outbound.db-journal'), mkdirSync)],
  [
    'a forged journal',
    'hot-journal',
    /cut off/,
    ({ out }) => writeFileSync(join(out, 'outbound.db-journal'), Buffer.alloc(5000, 7)),
  ],
];

const SCHEMAS: readonly Case[] = [
  ['a view more', 'refused', /not the one the host made/, ({ outbound }) => sql(outbound, 'create view v as select 1')],
  [
    'a trigger',
    'refused',
    /not the one the host made/,
    ({ outbound }) => sql(outbound, 'create trigger t after insert on messages_out begin select 1; end'),
  ],
  [
    'a view in the place of a table',
    'refused',
    /not the one the host made/,
    ({ outbound }) =>
      sql(outbound, 'alter table messages_out rename to m; create view messages_out as select * from m'),
  ],
  [
    'a schema text with a blank more',
    'refused',
    /not the one the host made/,
    ({ outbound }) =>
      sql(outbound, "pragma writable_schema = on; update sqlite_schema set sql = sql || ' ' where name = 'meta'"),
  ],
  [
    'a schema text that is none',
    'refused',
    /malformed database schema/,
    ({ outbound }) =>
      sql(outbound, "pragma writable_schema = on; update sqlite_schema set sql = 'create table (' where name = 'meta'"),
  ],
  [
    'a newer version',
    'newer-version',
    /version 2; this Halfdoor knows up to 1/,
    ({ outbound }) => sql(outbound, 'pragma user_version = 2'),
  ],
  ['version 0', 'refused', /not a session file/, ({ outbound }) => sql(outbound, 'pragma user_version = 0')],
  ['version -1', 'refused', /not a session file/, ({ outbound }) => sql(outbound, 'pragma user_version = -1')],
];

export function fileCases(attack: Attack): void {
  for (const [name, failure, detail, act] of [...KINDS, ...CONTENTS, ...SCHEMAS]) {
    attack(`${name} is told as ${failure}, again and again`, async (place) => {
      act(place);
      const there = readdirSync(place.out);
      for (let n = 0; n < 2; n++) {
        const result = await place.reader.read(BAD, 0);
        assert.ok(!result.ok);
        assert.equal(result.failure, failure, result.detail);
        assert.match(result.detail, detail);
      }
      assert.deepEqual(readdirSync(place.out), there);
      assert.equal(place.log(), '', 'the reader did not live through it');
    });
  }
  lineCases(attack);
  swapCases(attack);
}

const LINES: readonly [name: string, put: (path: string) => void, read: string][] = [
  ['a FIFO', fifo, ''],
  ['a link', (path) => symlinkSync('/etc/passwd', path), ''],
  ['a folder', (path) => mkdirSync(path), ''],
  ['missing', () => undefined, ''],
  ['garbage', (path) => writeFileSync(path, Buffer.from([0xff, 0xfe, 0x41])), '\ufffd\ufffdA'],
  [
    'a sparse terabyte',
    (path) => (writeFileSync(path, ''), truncateSync(path, 2 ** 40)),
    '\0'.repeat(LIMITS.heartbeatBytes),
  ],
];

function lineCases(attack: Attack): void {
  for (const [name, put, expected] of LINES) {
    attack(`heartbeat and progress may be ${name}: the rows come all the same`, async ({ out, reader, log }) => {
      for (const file of ['heartbeat', 'progress']) instead(join(out, file), put);
      const result = await reader.read(BAD, 0);
      assert.deepEqual(textsOf(result), [BAD]);
      assert.ok(result.ok);
      assert.deepEqual([result.heartbeat, result.progress], [expected, expected]);
      assert.equal(log(), '');
    });
  }
}

function swapCases(attack: Attack): void {
  attack('what is changed under a connection that is kept is refused as it is at the first look', async (place) => {
    const { outbound, reader } = place;
    assert.equal(failureOf(await reader.read(BAD, 0)), 'ok');
    overwrite(outbound, 18, [2, 2]);
    assert.equal(failureOf(await reader.read(BAD, 0)), 'refused');
    overwrite(outbound, 18, [1, 1]);
    assert.equal(failureOf(await reader.read(BAD, 0)), 'ok');
    sql(outbound, 'create view v as select 1');
    assert.equal(failureOf(await reader.read(BAD, 0)), 'refused');
    sql(outbound, 'drop view v');
    assert.deepEqual(textsOf(await reader.read(BAD, 0)), [BAD]);
  });

  attack('another sound file put in its place is what is read from then on', async (place) => {
    const { outbound, folder, reader } = place;
    const other = join(folder, 'other.db');
    copyFileSync(outbound, other);
    assert.equal(textsOf(await reader.read(BAD, 0)).length, 1);
    say(other, 2, 'swapped');
    renameSync(other, outbound);
    assert.deepEqual(textsOf(await reader.read(BAD, 0)), [BAD, 'swapped']);
  });

  attack('a session that does not exist is no way out of the folder', async ({ reader }) => {
    for (const name of ['../home', '../sessions', '..', '/etc', '', 'a\nb']) {
      assert.equal(failureOf(await reader.read(name, 0)), 'gone', name);
    }
  });
}
