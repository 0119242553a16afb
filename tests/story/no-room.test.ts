/** What cannot be written: on a full disk nothing is lost, nothing hangs for ever, and it is said. */
import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { Kysely, sql } from 'kysely';
import { sqliteDialect } from '../../host/db/dialect.ts';
import { isDiskFull } from '../../host/disk-full.ts';
import { openWorld, type World } from '../world/host.ts';

/** As a full disk does, it takes back the whole transaction. Returns what makes room again. */
function refuse(t: TestContext, world: World, when: string): () => void {
  const central = new DatabaseSync(join(world.home, 'central.db'), { timeout: 5_000 });
  t.after(() => central.close());
  central.exec(`create trigger full before ${when} begin select raise(rollback, 'no room'); end`);
  return () => central.exec('drop trigger full');
}

test('a receipt that could not be written does not stop what is said after it', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const makeRoom = refuse(t, world, "update on deliveries when new.state = 'delivered'");
  const chat = world.chat('a');
  await world.reply('a', '@reply one');
  await world.logged('receipt not written');
  makeRoom();
  await world.reply('a', '@reply two');
  await chat.until(() => (chat.texts.includes('two') ? true : undefined));
  chat.close();
});

test('the host ends when it is told to, also while nothing can be written', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  await world.reply('a', '@reply warm');
  const makeRoom = refuse(t, world, 'update on runs');
  const id = await world.send('a', '@slow 60000');
  assert.equal(await world.end('SIGTERM'), 0);
  assert.match(world.log, /no room/);
  makeRoom();
  await world.start();
  await world.ask('a', '/stop');
  assert.match((await world.settled(id)).error ?? '', /stopped/);
});

test('of a session that could not be made no folder is left', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const templates = join(world.home, 'templates');
  for (const name of readdirSync(templates)) rmSync(join(templates, name));
  const { status } = await world.call('POST', '/v1/agents/a/messages', { text: 'hello' });
  assert.equal(status, 500);
  for (const dir of ['sessions', 'out']) assert.deepEqual(readdirSync(join(world.home, dir)), []);
});

test('that the disk is full is not hidden behind what follows from it', async () => {
  const file = new DatabaseSync(':memory:');
  file.exec('create table t (x); pragma max_page_count = 2');
  const db = new Kysely<unknown>({ dialect: sqliteDialect(file) });
  const write = db.transaction().execute(async (tx) => {
    await sql`savepoint job`.execute(tx);
    for (let n = 0; n < 1000; n++) await sql`insert into t values (${'x'.repeat(1000)})`.execute(tx);
  });
  await assert.rejects(write, (error: unknown) => isDiskFull(error) && /full/.test(String(error)));
  file.close();
});
