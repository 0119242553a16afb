import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { LIMITS } from '@halfdoor/protocol/limits';
import { held, isAtTool, letGo } from '../world/held.ts';
import { openWorld, World } from '../world/host.ts';

test('a run killed in mid-turn: its messages are answered by the next one, once', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  await world.reply('a', '@reply warm');
  const chat = world.chat('a');
  const ids = [await world.send('a', held('one'))];
  await chat.until((events) => events.find(isAtTool));
  ids.push(await world.send('a', '@reply two'), await world.send('a', '@reply three'));
  const { pid, folder } = await world.session('a');
  assert.ok(pid);
  process.kill(pid, 'SIGKILL');
  letGo(folder);
  for (const id of ids) assert.equal((await world.settled(id)).status, 'answered');
  await chat.until(() => (chat.texts.length >= 4 ? true : undefined));
  assert.deepEqual(chat.texts, ['warm', 'one', 'two', 'three']);
  chat.close();
});

test('a message that kills its run each time is given up after three tries, and the person is told', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const view = await world.ask('a', '@die');
  assert.equal(view.status, 'failed');
  assert.match(view.error ?? '', /died each time/);
  assert.match(view.notices[0]?.text ?? '', /\/new/);
  assert.equal(await world.reply('a', '@reply still here'), 'still here');
  assert.equal((await world.status()).open.dead, 1);
});

test('the host killed in mid-turn: the next one answers what was accepted', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  await world.reply('a', '@reply warm');
  const ids = [await world.send('a', '@slow 300\n@reply one'), await world.send('a', '@reply two')];
  await world.restart('SIGKILL');
  for (const id of ids) assert.equal((await world.settled(id)).status, 'answered');
  const chat = world.chat('a');
  await chat.until(() => (chat.texts.length >= 3 ? true : undefined));
  assert.deepEqual(chat.texts, ['warm', 'one', 'two']);
  chat.close();
});

test('SIGTERM ends the host cleanly, with nothing left running, and nothing accepted lost', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const chat = world.chat('a');
  const id = await world.send('a', held('later'));
  await chat.until((events) => events.find(isAtTool));
  const { pid, folder } = await world.session('a');
  assert.equal(await world.end('SIGTERM'), 0);
  assert.throws(() => process.kill(pid ?? 0, 0), /ESRCH/);
  chat.close();
  letGo(folder);
  await world.start();
  assert.equal((await world.settled(id)).replies[0]?.text, 'later');
});

test('a second host on the same home is refused and names the first', async (t) => {
  const world = await openWorld(t);
  const second = new World({ HALFDOOR_HOME: world.home });
  t.after(() => second.close());
  await assert.rejects(second.start(), new RegExp(`already runs on ${world.home} \\(pid ${world.pid}\\)`));
  await world.end('SIGKILL');
  await second.start();
  await second.end('SIGTERM');
});

test('an inbound file that is lost or broken is made again, and no number is used twice', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const seqs: number[] = [];
  const say = async (): Promise<void> => {
    const view = await world.ask('a', '@reply x');
    seqs.push(view.replies[0]?.seq ?? 0);
  };
  await say();
  const { folder } = await world.session('a');
  await world.end('SIGTERM');
  rmSync(join(folder, 'in', 'inbound.db'));
  await world.start();
  await say();
  await world.end('SIGTERM');
  writeFileSync(join(folder, 'in', 'inbound.db'), 'this is not a database, and long enough to be one '.repeat(100));
  await world.start();
  await say();
  assert.deepEqual(
    seqs,
    [...new Set(seqs)].sort((a, b) => a - b),
  );
});

test('a row to a destination that was never granted is dropped, noted, and the agent is told', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  await world.reply('a', '@reply warm');
  const { folder, cursor } = await world.session('a');
  const file = new DatabaseSync(join(folder, 'out', 'outbound.db'), { timeout: 5_000 });
  const insert = file.prepare(
    `insert into messages_out (seq, id, run, turn, answers, kind, destination, thread, content, timestamp)
     values (?, ?, 1, 't', '[]', ?, ?, null, ?, '2026-01-01T00:00:00.000Z')`,
  );
  insert.run(cursor + 2, 'forged-1', 'message', 'elsewhere', '{"text":"secret"}');
  insert.run(cursor + 4, 'forged-2', 'action', null, '{"action":"create_agent","input":{}}');
  insert.run(cursor + 6, 'forged-3', 'message', 'terminal', 'no json');
  file.prepare('update meta set seq_high = ?').run(cursor + 6);
  file.close();
  assert.equal(await world.reply('a', '@reply ring'), 'ring');
  const told = await world.reply('a', 'echo');
  assert.equal(told, 'echo');
  await world.end('SIGTERM');
  const central = new DatabaseSync(join(world.home, 'central.db'), { readOnly: true });
  const audit = central.prepare('select action, target, verdict from audit order by id').all();
  assert.deepEqual(
    audit.map((row) => ({ ...row })),
    [
      { action: 'send_message', target: 'elsewhere', verdict: 'deny' },
      { action: 'create_agent', target: '', verdict: 'deny' },
    ],
  );
  const notices = central.prepare("select content from events where kind = 'notice' order by id").all();
  central.close();
  assert.equal(notices.length, 3);
});

test('a seq out of rule ends the run, the person is told, and others are answered', async (t) => {
  const world = await openWorld(t);
  for (const name of ['bad', 'good']) await world.createAgent({ name });
  await world.reply('bad', '@reply warm');
  const { folder, cursor } = await world.session('bad');
  const file = new DatabaseSync(join(folder, 'out', 'outbound.db'), { timeout: 5_000 });
  file
    .prepare(
      `insert into messages_out (seq, id, run, turn, answers, kind, destination, thread, content, timestamp)
       values (?, 'far', 1, 't', '[]', 'message', 'terminal', null, '{"text":"x"}', '2026-01-01T00:00:00.000Z')`,
    )
    .run(cursor + 2 ** 21);
  file.close();
  const view = await world.ask('bad', '@reply x');
  assert.equal(view.status, 'failed');
  assert.match(view.error ?? '', /not what the host made/);
  assert.equal(await world.reply('good', '@reply fine'), 'fine');
  await world.reply('bad', '/new');
  assert.equal(await world.reply('bad', '@reply again'), 'again');
});

test('a run that is refused row upon row is ended, and costs the host no more than that', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  await world.reply('a', '@reply warm');
  const { folder, cursor } = await world.session('a');
  const file = new DatabaseSync(join(folder, 'out', 'outbound.db'), { timeout: 5_000 });
  const insert = file.prepare(
    `insert into messages_out (seq, id, run, turn, answers, kind, destination, thread, content, timestamp)
     values (?, ?, 1, 't', '[]', 'message', 'elsewhere', null, '{"text":"x"}', '2026-01-01T00:00:00.000Z')`,
  );
  file.exec('begin');
  for (let n = 1; n <= 2_000; n++) insert.run(cursor + 2 * n, `forged-${n}`);
  file.prepare('update meta set seq_high = ?').run(cursor + 4_000);
  file.exec('commit');
  file.close();
  assert.match((await world.ask('a', '@reply x')).error ?? '', /not what the host made/);
  await world.end('SIGTERM');
  const central = new DatabaseSync(join(world.home, 'central.db'), { readOnly: true });
  const { n } = central.prepare('select count(*) as n from audit').get() as { n: number };
  central.close();
  assert.ok(n > LIMITS.refusedRowsPerRun && n < 2 * LIMITS.refusedRowsPerRun, `${n} rows`);
});
