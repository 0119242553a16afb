import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { SessionFile, type OpenOptions } from '../sqlite.ts';
import { inWorld } from './world.ts';

const EVERY: OpenOptions = { access: 'reads', timeoutMs: 0, version: 1 };

const denied = (act: () => unknown): void => assert.throws(act, /not authorized|prohibited/);

const BOUNDED: readonly [what: string, sql: string][] = [
  ['columns', `create table many (${Array.from({ length: 33 }, (_, n) => `c${n}`).join(', ')})`],
  ['depth', `create view deep as select ${'('.repeat(40)}1${'+1)'.repeat(40)}`],
  ['compound selects', `create view many as ${Array.from({ length: 5 }, () => 'select 1').join(' union all ')}`],
  ['length of a statement', `create view long as select '${'x'.repeat(9000)}'`],
];

test('a schema that is larger than any of ours in any way is refused before a row of it is read', async () => {
  for (const [what, sql] of BOUNDED) {
    await inWorld((world) => {
      const db = new DatabaseSync(world.inbound);
      db.exec(sql);
      // Nothing stops whoever reads without the bounds.
      assert.equal(db.prepare('select count(*) as n from meta').get()?.n, 1);
      db.close();
      assert.throws(
        () => {
          const file = new SessionFile(world.inbound, EVERY);
          file.all('select * from many');
        },
        /too |not a sound|malformed|parser|depth|string or blob/i,
        what,
      );
    });
  }
});

test('a statement may name what it was opened for, and nothing else', () =>
  inWorld((world) => {
    const endless = 'with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n';
    const db = new DatabaseSync(world.inbound);
    db.exec(`create view trap as ${endless}; create view through as select seq from messages_in`);
    db.close();
    const only = { messages_in: ['seq', 'content'] };
    const file = new SessionFile(world.inbound, { ...EVERY, only });
    const every = new SessionFile(world.inbound, EVERY);
    assert.deepEqual(file.all('select seq, content from messages_in where seq > ? order by seq limit ?', 0, 1), []);
    assert.equal(file.pragma('user_version'), 1);
    assert.equal(file.read(() => file.all('select type, name, tbl_name, sql from sqlite_schema')).length > 0, true);
    for (const sql of [
      'select role from messages_in',
      'select seq from delivered',
      'select rootpage from sqlite_schema',
      'select seq from through',
      'select max(seq) from messages_in',
      'pragma user_version = 7',
      'pragma query_only = off',
      'pragma table_info(meta)',
      "select * from json_each('[]')",
      'select seq from messages_in where seq in (select 1 union select 2) and content like hex(content)',
    ]) {
      denied(() => file.all(sql));
      // The same statement is made where nothing was said.
      if (!sql.startsWith('pragma user_version')) every.all(sql);
    }
    denied(() => file.all('select * from trap'));
    for (const it of [file, every]) it.close();
  }));
