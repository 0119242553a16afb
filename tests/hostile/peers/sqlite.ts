/**
 * `bun sqlite.ts VERB FOLDER [WORD]`: what somebody who has taken over an agent does to outbound.db in FOLDER. Where that is
 * the session's own, everything else inside is killed after it, so that the host takes the last look at once.
 */
import { closeSync, ftruncateSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const [verb = '', folder = '', word = ''] = process.argv.slice(2);
const path = join(folder, 'outbound.db');

function bytes(name: string, at: number, content: Uint8Array | readonly number[], size?: number): void {
  const fd = openSync(join(folder, name), 'r+');
  if (size !== undefined) ftruncateSync(fd, size);
  writeSync(fd, Uint8Array.from(content), 0, content.length, at);
  closeSync(fd);
}

/** The journal can neither be made nor removed here, so it is kept. */
function open(): DatabaseSync {
  const db = new DatabaseSync(path, { defensive: false });
  for (const mode of ['exclusive', 'normal'])
    db.exec(`pragma locking_mode = ${mode}; pragma journal_mode = persist; select count(*) from sqlite_schema`);
  db.exec('pragma busy_timeout = 5000; pragma ignore_check_constraints = on');
  return db;
}

function sql(text: string): void {
  const db = open();
  db.exec(text);
  db.close();
}

const COLUMNS = 'seq, id, run, turn, answers, kind, destination, thread, content, timestamp';
/** Something that has the columns of messages_out in its place. */
const instead = (kind: string, content: string): void =>
  sql(`drop table messages_out; create ${kind} messages_out ${content}`);
const select = (content: string): string =>
  `as select 3 as seq, 'x' as id, 1 as run, 't' as turn, '[]' as answers, 'message' as kind, 'terminal' as destination,
   null as thread, ${content} as content, '' as timestamp`;
const row = (seq: string, content: string): string =>
  `insert into messages_out (${COLUMNS}) values (${seq}, 'forged', 1, 't', '[]', 'message', 'terminal', null, ${content}, '')`;
const ENDLESS = '(with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n)';

/**
 * A journal that says the file had one page, and whose last words name a super-journal: whoever takes it back looks for
 * that name on the disk, and does what the journal says if it is there (https://sqlite.org/fileformat.html §3).
 */
function superJournal(name: string): void {
  const text = Buffer.from(name);
  const journal = Buffer.alloc(512 + 4 + text.length + 16);
  Buffer.from('d9d505f920a163d7', 'hex').copy(journal);
  for (const [at, value] of [0, 0, 1, 512, 4096].entries()) journal.writeUInt32BE(value, 8 + 4 * at);
  let at = 512;
  at = journal.writeUInt32BE(2 ** 30 / 4096 + 1, at);
  at += text.copy(journal, at);
  at = journal.writeUInt32BE(text.length, at);
  at = journal.writeUInt32BE(
    text.reduce((sum, byte) => sum + byte, 0),
    at,
  );
  Buffer.from('d9d505f920a163d7', 'hex').copy(journal, at);
  bytes('outbound.db-journal', 0, journal, 0);
}

/** The table's first page becomes one that has only itself below it. */
function loop(): void {
  const db = open();
  const { page } = db.prepare("select rootpage as page from sqlite_schema where name = 'messages_out'").get() as {
    page: number;
  };
  db.close();
  bytes('outbound.db', (page - 1) * 4096, [5, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0, page]);
}

/** Cut off and put back while others read; a little of it stays off. */
function truncate(): void {
  const whole = readFileSync(path);
  for (let n = 0; n < 3000; n++) {
    bytes('outbound.db', 0, [], n % 3 === 0 ? 100 : 0);
    bytes('outbound.db', 0, whole);
  }
  bytes('outbound.db', 0, [], 0);
}

const VERBS: Readonly<Record<string, () => void>> = {
  'wal-header': () => bytes('outbound.db', 18, [2, 2]),
  'not-sqlite': () => bytes('outbound.db', 0, Buffer.alloc(20_000, 0xa5), 0),
  'page-size': () => bytes('outbound.db', 16, [2, 0]),
  encoding: () => bytes('outbound.db', 56, [0, 0, 0, 2]),
  'schema-format': () => bytes('outbound.db', 44, [0, 0, 0, 9]),
  'tree-loop': loop,
  truncate,
  'super-journal': () => superJournal(word),
  views: () =>
    sql(`pragma writable_schema = on; with recursive n(i) as (select 1 union all select i + 1 from n where i < 150000)
      insert into sqlite_schema select 'view', 'v' || i, 'v' || i, 0, 'create view v' || i || ' as select 1' from n`),
  'recursive-view': () => instead('view', select(ENDLESS)),
  'generated-column': () =>
    instead(
      'table',
      `(${COLUMNS.replace('content', 'content generated always as (hex(zeroblob(30000000)))')}); insert into messages_out values
      (3, 'x', 1, 't', '[]', 'message', 'terminal', null, '')`,
    ),
  'virtual-table': () => instead('view', `${select('file')} from pragma_database_list`),
  trigger: () => sql(`create trigger t after update on meta begin ${row('5', "'by the trigger'")}; end`),
  'seq-highest': () => sql(row('9223372036854775807', "'{}'")),
  'seq-text': () => instead('table', `(${COLUMNS}); ${row("'three'", "'{}'")}`),
  blob: () => sql(row('1001', 'cast(zeroblob(67108864) as text)')),
  sparse: () => bytes('outbound.db', 0, [], 629_145_600),
};

VERBS[verb]?.();
const others = folder !== '/s/out' ? [] : readdirSync('/proc').filter((it) => /^[0-9]+$/.test(it) && it !== '1');
for (const pid of others.filter((it) => it !== String(process.pid))) process.kill(Number(pid), 'SIGKILL');
