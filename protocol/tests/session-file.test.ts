import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { FAULT_CODES, isFault, type FaultCode } from '../fault.ts';
import { InboundReader, InboundWriter } from '../inbound.ts';
import { OutboundWriter, readOutboundRows } from '../outbound.ts';
import { SessionFile, type Access } from '../sqlite.ts';
import { inboundSchema, makeTemplate, outboundSchema } from '../template.ts';
import { chat, message } from './rows.ts';
import { assertOrdinaryUser, durable, inWorld, type World } from './world.ts';

const EVERY_ACCESS: Access[] = ['host-writes', 'runner-writes', 'reads'];
const open = (path: string, access: Access, timeoutMs = 0, version = 1): SessionFile =>
  new SessionFile(path, { access, timeoutMs, version });

function refused(act: () => unknown, code: FaultCode, says: RegExp): void {
  assert.throws(act, (error) => {
    assert.ok(isFault(error, code), `${code} expected, got ${String(error)}`);
    assert.match(error.message, says);
    assert.match(error.next, /^[A-Z].*\.$/);
    return true;
  });
}

const openers = (path: string): (() => unknown)[] => [
  ...EVERY_ACCESS.map((access) => () => open(path, access)),
  () => new InboundWriter(path, durable),
  () => new InboundReader(path),
  () => new OutboundWriter(path, 1, durable),
];

test('nobody makes a file by opening one that is missing', () =>
  inWorld((world) => {
    const path = join(world.folder, 'in', 'missing ?mode=rwc&%41#.db');
    for (const act of openers(path)) refused(act, 'not-a-session-file', /there is no session file at/);
    for (const act of openers(join(world.folder, 'nowhere', 'x.db'))) refused(act, 'not-a-session-file', /there is no/);
    assert.deepEqual(readdirSync(join(world.folder, 'in')), ['inbound.db']);
  }));

test('a file whose name looks like an URI is opened as it is called', () =>
  inWorld((world) => {
    const path = join(world.folder, 'in', 'a ?mode=memory&%41#.db');
    makeTemplate(path, inboundSchema(), durable);
    const writer = new InboundWriter(path, durable);
    writer.adopt('s', 0);
    writer.close();
    const again = new InboundWriter(path, durable);
    assert.equal(again.sessionId(), 's');
    again.close();
  }));

test('what is no session file is refused and left as it is', () =>
  inWorld((world) => {
    const path = join(world.folder, 'in', 'bad.db');
    const contents: [string | Buffer, RegExp][] = [
      ['', /is not a session file/],
      ['garbage'.repeat(1000), /not a sound session file/],
      ['SQLite format 3\0', /not a sound session file/],
      [readFileSync(world.inbound).subarray(0, 5000), /not a sound session file|is not a session file/],
    ];
    for (const [content, says] of contents) {
      writeFileSync(path, content);
      for (const act of openers(path)) refused(act, 'not-a-session-file', says);
      assert.deepEqual(readFileSync(path), Buffer.from(content));
    }
    const folder = join(world.folder, 'folder.db');
    mkdirSync(folder);
    for (const act of openers(folder))
      assert.throws(act, (error) => isFault(error, 'cannot-open') || isFault(error, 'disk'));
  }));

test('a damaged page is told as such, and its transaction is gone', () =>
  inWorld((world) => {
    const writer = new InboundWriter(world.inbound, durable);
    truncateSync(world.inbound, 8192);
    refused(() => writer.project({ messages: [chat('a')], cursor: 0 }), 'not-a-session-file', /not a sound/);
    writer.close();
  }));

test('a newer version is a clear refusal, an older or absent one is no session file', () =>
  inWorld((world) => {
    const db = new DatabaseSync(world.inbound);
    db.exec('pragma user_version = 2');
    for (const access of EVERY_ACCESS)
      refused(() => open(world.inbound, access), 'newer-version', /version 2; this Halfdoor knows up to 1/);
    open(world.inbound, 'reads', 0, 2).close();
    db.exec('pragma user_version = 0');
    for (const access of EVERY_ACCESS)
      refused(() => open(world.inbound, access), 'not-a-session-file', /is not a session file/);
    db.close();
  }));

test('a file that may not be read or written is told as such', () =>
  inWorld((world) => {
    assertOrdinaryUser();
    chmodSync(world.inbound, 0o400);
    const writer = new InboundWriter(world.inbound, durable);
    refused(() => writer.project({ messages: [chat('a')], cursor: 0 }), 'cannot-open', /readonly/);
    writer.close();
    chmodSync(world.inbound, 0);
    for (const act of openers(world.inbound)) refused(act, 'cannot-open', /cannot be used/);
    chmodSync(world.inbound, 0o600);
  }));

test('a busy timeout that did not take effect is noticed', () =>
  inWorld((world) => {
    // SQLite takes a negative one for none.
    for (const access of EVERY_ACCESS) {
      refused(() => open(world.inbound, access, -5), 'option-ignored', /busy_timeout is 0, not -5/);
    }
  }));

test('a journal mode that did not take effect is noticed', () =>
  inWorld((world) => {
    const db = new DatabaseSync(world.inbound);
    db.exec('pragma journal_mode = wal; update meta set seq_high = 0');
    refused(() => open(world.inbound, 'reads'), 'option-ignored', /journal_mode is wal/);
    // It cannot be turned back while another holds the file open.
    refused(() => open(world.inbound, 'host-writes'), 'busy', /locked/);
    db.close();
    open(world.inbound, 'host-writes').close();
    open(world.inbound, 'reads').close();
  }));

test('a runtime that ignores what it does not know is found out', () =>
  inWorld((world) => {
    const { limits } = new DatabaseSync(world.inbound, { readOnly: true });
    assert.equal(typeof limits.length, 'number', 'limits can be read back here');
    const file = open(world.inbound, 'reads');
    assert.throws(
      () => file.all('select zeroblob(4194305)'),
      (error) => isFault(error, 'bad-row'),
    );
    assert.throws(() => file.exec(`attach '${world.outbound}' as other`), /too many attached|not authorized/);
    file.close();
  }));

test('a reader can write nothing, with query_only or without', () =>
  inWorld((world) => {
    const before = readFileSync(world.inbound);
    const file = open(world.inbound, 'reads');
    for (const bolt of ['on', 'off']) {
      file.exec(`pragma query_only = ${bolt}`);
      for (const sql of [
        'delete from meta',
        'pragma user_version = 7',
        'create table x (a)',
        'vacuum',
        'pragma journal_mode = wal',
      ]) {
        try {
          file.exec(sql);
        } catch {
          // Refused; what counts is the file.
        }
      }
    }
    assert.throws(
      () => file.run('delete from meta'),
      (error) => isFault(error, 'cannot-open'),
    );
    file.close();
    assert.deepEqual(readFileSync(world.inbound), before);
    assert.deepEqual(readdirSync(join(world.folder, 'in')), ['inbound.db']);
  }));

test('every setting is in force on every kind of connection', () =>
  inWorld((world) => {
    for (const access of EVERY_ACCESS) {
      const file = open(world.inbound, access, 7);
      const found = [
        'mmap_size',
        'trusted_schema',
        'cell_size_check',
        'synchronous',
        'busy_timeout',
        'writable_schema',
      ].map((name) => file.pragma(name));
      assert.deepEqual(found, [0, 0, 1, 2, 7, 0], access);
      file.exec('pragma busy_timeout = 9');
      assert.equal(file.pragma('busy_timeout'), 9, 'a pragma is asked anew each time');
      file.close();
    }
  }));

test('busy is told as busy, and nothing stays locked after any throw', () =>
  inWorld((world) => {
    const writer = new InboundWriter(world.inbound, durable);
    const other = open(world.inbound, 'host-writes');
    const free = (): void =>
      assert.equal(
        other.write(() => 'free'),
        'free',
      );
    other.exec('begin immediate');
    refused(() => writer.project({ cursor: 0 }), 'busy', /locked/);
    other.exec('rollback');
    free();
    // A reader in the middle of its read makes COMMIT itself fail.
    const reader = open(world.inbound, 'reads');
    reader.exec('begin');
    reader.all('select * from meta');
    refused(() => writer.project({ messages: [chat('a')], cursor: 0 }), 'busy', /locked/);
    reader.exec('rollback');
    assert.deepEqual(reader.all('select * from messages_in'), []);
    free();
    assert.throws(
      () => other.write(() => other.run('insert into delivered values (1, 2, 3, 4, 5)')),
      /CHECK constraint/,
    );
    assert.throws(() => other.write(() => assert.fail('thrown by the body')), /thrown by the body/);
    assert.throws(() => reader.read(() => assert.fail('thrown by the body')), /thrown by the body/);
    assert.equal(writer.project({ messages: [chat('a')], cursor: 0 }), 1);
    for (const it of [reader, other, writer]) it.close();
  }));

test('a read inside a read is of the same moment', () =>
  inWorld((world) => {
    const reader = open(world.outbound, 'reads');
    const run = new OutboundWriter(world.outbound, 1, durable);
    run.write('say', { messages: [message('a')], seenSeq: 0 });
    const rows = reader.read(() => {
      assert.equal(reader.all('select count(*) as n from messages_out')[0]?.n, 1);
      const inner = readOutboundRows(reader, 0, 50);
      // The inner read has not ended the outer one: its lock still holds up a commit.
      const other = open(world.outbound, 'runner-writes');
      refused(() => other.write(() => other.run('update meta set seq_high = 99')), 'busy', /locked/);
      other.close();
      return inner;
    });
    assert.equal(rows.cursor, 1);
    run.write('say', { messages: [message('b')], seenSeq: 0 });
    assert.equal(readOutboundRows(reader, 0, 50).cursor, 3);
    reader.close();
    run.close();
  }));

test('statements kept from before a change of the schema go on', () =>
  inWorld((world) => {
    const reader = open(world.inbound, 'reads', 5, 2);
    const select = 'select * from meta';
    assert.deepEqual(Object.keys(reader.all(select)[0] ?? {}), ['id', 'session_id', 'seq_high']);
    const db = new DatabaseSync(world.inbound);
    db.exec('alter table meta add column later text; pragma user_version = 2');
    assert.deepEqual(Object.keys(reader.all(select)[0] ?? {}), ['id', 'session_id', 'seq_high', 'later']);
    assert.equal(reader.pragma('user_version'), 2);
    db.close();
    reader.close();
  }));

test('a template is made once, whole, and only where nothing is', () =>
  inWorld((world: World) => {
    const path = join(world.folder, 'new.template');
    assert.throws(() =>
      makeTemplate(join(world.folder, 'half'), `${outboundSchema()}; create table broken (`, durable),
    );
    const half = new DatabaseSync(join(world.folder, 'half'));
    assert.deepEqual(half.prepare('select * from sqlite_schema').all(), []);
    half.close();
    makeTemplate(path, outboundSchema(), durable);
    const before = readFileSync(path);
    assert.throws(() => makeTemplate(path, outboundSchema(), durable), /EEXIST/);
    assert.deepEqual(readFileSync(path), before);
    assert.ok(existsSync(path));
  }));

test('fault codes are closed and stay what others rely on', () => {
  assert.deepEqual(
    [...FAULT_CODES],
    [
      'bad-input',
      'bad-row',
      'busy',
      'cannot-open',
      'disk',
      'fenced',
      'hot-journal',
      'newer-version',
      'not-a-session-file',
      'option-ignored',
      'path-too-long',
    ],
  );
});
