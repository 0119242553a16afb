import assert from 'node:assert/strict';
import { copyFileSync, cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { makeDurable } from '@halfdoor/protocol/durable';
import { LIMITS } from '@halfdoor/protocol/limits';
import type { TraceView } from '../../host/api/operator-contract.ts';
import { systemClock, type Clock, type Timer } from '../../host/clock.ts';
import { Central } from '../../host/db/central.ts';
import { systemOutside } from '../../host/egress/outside.ts';
import { openHost } from '../../host/host.ts';
import { firstIdAt, makeIds, timeOfId } from '../../host/ids.ts';
import { makeLog } from '../../host/log.ts';
import { cutoffAt, STEPS } from '../../host/retention/forget.ts';
import { Redactor } from '../../host/secrets/redact.ts';
import { bring, filesOf } from '../world/files.ts';
import { World } from '../world/host.ts';
import { bunPath, distPath } from '../world/programs.ts';

const DAY_MS = 24 * 60 * 60_000;

/** Runs as the real one, but days pass when the test says so. */
class HeldClock implements Clock {
  #aheadMs = 0;
  #daily: (() => void)[] = [];

  now = (): Date => new Date(Date.now() + this.#aheadMs);

  after(ms: number, fn: () => void): Timer {
    if (ms >= DAY_MS) {
      this.#daily.push(fn);
      return { cancel: () => void (this.#daily = this.#daily.filter((it) => it !== fn)) };
    }
    const timer = setTimeout(fn, ms);
    return { cancel: () => clearTimeout(timer) };
  }

  soon(fn: () => void): void {
    setImmediate(fn);
  }

  pass(days: number): void {
    this.#aheadMs += days * DAY_MS;
    for (const fn of this.#daily.splice(0)) fn();
  }
}

/** A host in this process, so that its clock can be held. */
async function openHeld(t: TestContext, world: World, clock: HeldClock, dist: string) {
  let wake = (): void => {};
  let passes = 0;
  const log = makeLog(
    (line) => {
      if (!line.includes('"scope":"retention"')) return;
      assert.ok(!line.includes('"level":"error"'), line);
      passes += 1;
      wake();
    },
    clock.now,
    (text) => text,
  );
  const host = await openHost({
    root: world.home,
    bun: bunPath(),
    dist,
    environment: {},
    redactor: new Redactor(),
    env: { XDG_RUNTIME_DIR: world.folder },
    uid: process.getuid?.() ?? 0,
    pid: process.pid,
    clock,
    outside: systemOutside,
    log,
    durable: makeDurable(),
    shutDown: () => {},
  });
  let open = true;
  const close = async (): Promise<void> => {
    if (open) await host.close();
    open = false;
  };
  t.after(close);
  const passed = async (count: number): Promise<void> => {
    while (passes < count) await new Promise<void>((resolve) => (wake = resolve));
  };
  return { close, passed };
}

function freshWorld(t: TestContext): World {
  const world = new World({});
  t.after(() => world.close());
  return world;
}

const traced = async (world: World, id: string): Promise<number> => (await world.call('GET', `/v1/trace/${id}`)).status;

test('after 30 days what is over is forgotten, and nothing that is open or waits', async (t) => {
  const world = freshWorld(t);
  const clock = new HeldClock();
  const host = await openHeld(t, world, clock, distPath());
  for (const name of ['a', 'away', 'busy']) await world.createAgent({ name });
  const chat = world.chat('a');
  const over = [await world.send('a', '@reply answered', 'an-id')];
  for (const text of ['@raw scratch', '@fail fatal broken', '/help']) {
    await world.settled(over.at(-1) ?? '');
    over.push(await world.send('a', text));
  }
  await chat.until(() => (chat.texts.length >= 4 ? true : undefined));
  const waits = await world.ask('away', '@reply nobody is here to read this');
  const open = await world.send('busy', '@slow 600000');
  clock.pass(29);
  await host.passed(2);
  for (const id of [...over, waits.id, open]) assert.equal(await traced(world, id), 200);
  clock.pass(2);
  await host.passed(3);
  for (const id of over) assert.equal(await traced(world, id), 404);
  for (const id of [waits.id, open]) assert.equal(await traced(world, id), 200);
  assert.deepEqual((await world.call('GET', '/v1/dead')).body, []);
  assert.notEqual(await world.send('a', '@reply new', 'an-id'), over[0], 'past its time the same id is a new message');
  await chat.until(() => (chat.texts.includes('new') ? true : undefined));
  chat.close();
  await world.reply('busy', '/stop');
  await host.close();
  const central = new DatabaseSync(join(world.home, 'central.db'), { readOnly: true });
  const [left] = central.prepare('select count(*) as n from unsent').all();
  const [links] = central.prepare('select count(*) as n from delivery_events where event_id = ?').all(waits.id);
  central.close();
  assert.deepEqual([left?.n, links?.n], [0, 1]);
});

test('files go with what they came or were sent with, copies that nobody waits for at the next pass', async (t) => {
  const world = freshWorld(t);
  const clock = new HeldClock();
  const host = await openHeld(t, world, clock, distPath());
  await world.createAgent({ name: 'a' });
  const chat = world.chat('a');
  const { id } = await bring(world, 'a', '@attached', [{ name: 'note.txt', content: 'x' }]);
  const sends = '@write f.txt hi\n@tool send_file {"to":"terminal","path":"f.txt"}';
  const [sent] = filesOf(await world.ask('a', sends));
  const brought = join((await world.session('a')).folder, 'in', 'files', id, 'note.txt');
  await chat.until(() => (chat.texts.length >= 3 ? true : undefined));
  while ((await world.status()).open.deliveries > 0); // what was shown is confirmed a moment later
  const there = (): boolean[] => [brought, join(world.home, 'inbox', id), sent?.path ?? ''].map((it) => existsSync(it));
  clock.pass(29);
  await host.passed(2);
  assert.deepEqual(there(), [true, true, true]);
  clock.pass(2);
  await host.passed(3);
  assert.deepEqual(there(), [false, false, false]);
  chat.close();
});

test('a lost inbound.db is made again above the numbers of messages that are forgotten', async (t) => {
  const world = freshWorld(t);
  const dist = mkdtempSync(join(tmpdir(), 'hd-dist-'));
  t.after(() => rmSync(dist, { recursive: true, force: true }));
  cpSync(distPath(), dist, { recursive: true });
  const clock = new HeldClock();
  const host = await openHeld(t, world, clock, dist);
  await world.createAgent({ name: 'a' });
  const chat = world.chat('a');
  rmSync(join(dist, 'runner.js'));
  for (let n = 0; n < 3; n++) await world.ask('a', '@reply never');
  await chat.until(() => (chat.texts.length >= 3 ? true : undefined));
  const { folder } = await world.session('a');
  clock.pass(31);
  await host.passed(2);
  rmSync(join(folder, 'in', 'inbound.db'));
  copyFileSync(join(distPath(), 'runner.js'), join(dist, 'runner.js'));
  const { id } = await world.ask('a', '@reply now');
  const { hops } = (await world.call<TraceView>('GET', `/v1/trace/${id}`)).body;
  const seq = hops.find((it) => it.what === 'projected')?.seq ?? 0;
  assert.ok(seq > 6, `#${seq} was used before`);
  chat.close();
});

test('much at once goes in small transactions', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hd-central-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'central.db');
  const central = await Central.open(path, makeDurable(), systemClock);
  t.after(() => central.close());
  const now = Date.now();
  fill(path, now - LIMITS.keptMs - DAY_MS);
  const cutoff = cutoffAt(now);
  const removed: number[] = [];
  for (const step of STEPS) {
    for (let after: string | null = ''; after !== null;) {
      const from: string = after;
      const done = await central.commit('forget', (tx) => step(tx, cutoff, from));
      removed.push(done.removed);
      after = done.after;
    }
  }
  assert.ok(Math.max(...removed) <= LIMITS.removedRows, String(Math.max(...removed)));
  const db = new DatabaseSync(path, { readOnly: true });
  const tables = ['events', 'dispatches', 'tries', 'deliveries', 'delivery_events', 'runs', 'audit', 'unsent'];
  const left = [...tables, 'unsent_events'].map((table) => [table, db.prepare(`select * from ${table}`).all().length]);
  const [session] = db.prepare('select forgotten from sessions').all();
  db.close();
  assert.deepEqual(
    left,
    [...tables, 'unsent_events'].map((table) => [table, 0]),
  );
  assert.equal(session?.forgotten, MESSAGES);
});

const MESSAGES = 600;
/** So many messages of one batch are linked to each of its answers. */
const BATCH = 50;

function fill(path: string, ms: number): void {
  const db = new DatabaseSync(path);
  const at = new Date(ms).toISOString();
  const ids = makeIds(() => ms);
  db.exec('begin');
  const run = (sql: string, ...values: (string | number | null)[]) => db.prepare(sql).run(...values);
  run(`insert into agents (id, name, provider, sandbox, created_at) values ('a', 'a', 'mock', 'process', ?)`, at);
  run(`insert into chats (id, channel, platform_id, created_at) values ('c', 'terminal', 'a', ?)`, at);
  run(`insert into sessions (id, agent_id, key, chat_id, created_at) values ('s', 'a', 'k', 'c', ?)`, at);
  for (let n = 0; n < MESSAGES; n += BATCH) {
    const batch = Array.from({ length: BATCH }, () => ids());
    for (const id of batch) {
      const dispatch = ids();
      run(
        `insert into events (id, channel, chat, platform_id, kind, content, received_at)
         values (?, 'terminal', 'a', ?, 'message', '{}', ?)`,
        id,
        id,
        at,
      );
      run(
        `insert into dispatches (id, event_id, agent_id, session_id, kind, wakes, state, tries, settled_at)
         values (?, ?, 'a', 's', 'chat', 1, 'dead', 1, ?)`,
        dispatch,
        id,
        at,
      );
      run(`insert into tries values (?, 1, 1, 'exit 1', ?)`, dispatch, at);
    }
    for (let answer = 0; answer < 20; answer++) {
      const delivery = ids();
      const seq = n * BATCH + 2 * answer + 1;
      run(
        `insert into deliveries (id, session_id, agent_id, seq, channel, chat, content, state, created_at, settled_at)
         values (?, 's', 'a', ?, 'terminal', 'a', '{}', 'delivered', ?, ?)`,
        delivery,
        seq,
        at,
        at,
      );
      run(`insert into unsent values ('s', ?, 1, 'scratch', null, 'x', null, ?)`, seq, at);
      for (const id of batch) {
        run('insert into delivery_events values (?, ?)', id, delivery);
        run(`insert into unsent_events values (?, 's', ?)`, id, seq);
      }
    }
    run(`insert into runs values ('s', ?, ?, ?, 'idle')`, n, at, at);
    run(`insert into audit values (?, ?, 's', 'a', 'agent:a', 'x', 'y', 'deny', 'z')`, ids(), at);
  }
  db.exec('commit');
  db.close();
}

test('the first id of a time stands between what was made before it and after', () => {
  const made = makeIds(() => 1_000_000);
  const [one, two] = [made(), made()];
  assert.equal(timeOfId(one), new Date(1_000_000).toISOString());
  assert.ok(firstIdAt(1_000_000) < one && one < two && two < firstIdAt(1_000_001));
});
