import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import { makeDurable } from '@halfdoor/protocol/durable';
import { systemClock } from '../../clock.ts';
import { Central } from '../central.ts';
import { sqliteDialect } from '../dialect.ts';
import { first } from '../migrations/001-first.ts';

test('agents of the first version: the public endpoints keep their key, any other is given none', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hd-central-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'central.db');
  const old = new DatabaseSync(path);
  const db = new Kysely<unknown>({ dialect: sqliteDialect(old) });
  const getMigrations = () => Promise.resolve({ '001-first': first });
  await new Migrator({ db, provider: { getMigrations } }).migrateToLatest();
  const insert = old.prepare(
    `insert into agents (id, name, provider, model, base_url, api, sandbox, created_at)
     values (?, ?, ?, 'm', ?, ?, 'bubblewrap', '2026-01-01T00:00:00.000Z')`,
  );
  insert.run('1', 'a', 'direct', null, 'anthropic');
  insert.run('2', 'b', 'direct', null, 'openai');
  insert.run('3', 'c', 'direct', 'http://127.0.0.1:1', 'openai');
  insert.run('4', 'd', 'mock', null, null);
  old.close();
  const central = await Central.open(path, makeDurable(), systemClock);
  t.after(() => central.close());
  const rows = await central.read.selectFrom('agents').select(['name', 'key', 'deleted_at']).orderBy('name').execute();
  assert.deepEqual(
    rows.map((row) => ({ ...row })),
    [
      { name: 'a', key: 'ANTHROPIC_API_KEY', deleted_at: null },
      { name: 'b', key: 'OPENAI_API_KEY', deleted_at: null },
      { name: 'c', key: null, deleted_at: null },
      { name: 'd', key: null, deleted_at: null },
    ],
  );
});
