// needs: strace
/** The power goes while people talk: what a disk may have kept of central, inbound and outbound is what a host starts from. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { homeAt, sessionPaths } from '../../host/home.ts';
import { reapStrays } from '../../host/sandboxes/strays.ts';
import { pause } from '../../bench/measure.ts';
import { mark, Tally } from '../../bench/crash/tally.ts';
import { openWorld, type Chat, type World } from '../world/host.ts';
import { Disk, type Left } from './power/disk.ts';
import { readTrace, strace, type FileOp } from './power/trace.ts';
import { Random } from './sim/random.ts';

/** Known for long; every 8 messages an agent is made and talked to for the first time. */
const CHATS = ['a', 'b'];
const NEW_EVERY = 8;
const MESSAGES = 40;
const AT_ONCE = 4;
const CUTS = 12;
const SEED = 5;
const POLL_MS = 10;
const LEFT: readonly Left[] = ['nothing', 'some', 'everything'];

/** Times in milliseconds since 1970. */
type Sent = { n: number; chat: string; text: string; id: string; acknowledgedAt: number };
type Shown = { at: number; chat: string; event: Chat['events'][number] };
type Traced = { ops: FileOp[]; sent: Sent[]; shown: Shown[]; made: Map<string, number> };

const textOf = (n: number): string =>
  [
    `@reply ${mark(n)}`,
    `@sleep 20\n@reply ${mark(n)}`,
    `@tool send_message {"to":"terminal","text":"${mark(n)}"}\n@sleep 10`,
  ][n % 3] ?? '';

/** Of each four messages the last is for the newest agent, once there is one. */
function chatFor(n: number): string {
  const newest = Math.floor(n / NEW_EVERY);
  return n % AT_ONCE === AT_ONCE - 1 && newest > 0 ? `new${newest}` : (CHATS[n % CHATS.length] ?? '');
}

/** Both agents used once, all of it long on the disk; `base` is a copy of that home. */
async function prepare(t: TestContext): Promise<{ world: World; base: string }> {
  const world = await openWorld(t);
  for (const name of CHATS) {
    await world.createAgent({ name });
    await world.reply(name, 'hello');
    const chat = world.chat(name);
    await chat.until(() => chat.texts.length > 0 || undefined);
    chat.close();
  }
  await world.end('SIGTERM');
  const base = join(world.folder, 'base');
  cpSync(world.home, base, { recursive: true, verbatimSymlinks: true });
  return { world, base };
}

/** One host that is traced with everything it starts, until all is answered. One run is killed on the way. */
async function talk(world: World): Promise<Traced> {
  const file = join(world.folder, 'trace');
  world.before = strace(file);
  await world.start();
  const { pid: host } = await world.status();
  const chats = CHATS.map((name) => ({ name, chat: world.chat(name) }));
  const made = new Map(CHATS.map((name) => [name, 0]));
  const sent: Sent[] = [];
  const send = async (n: number): Promise<void> => {
    const [chat, text] = [chatFor(n), textOf(n)];
    // With the id that a platform would send again.
    const id = await world.send(chat, text, `m${n}`);
    sent.push({ n, chat, text, id, acknowledgedAt: Date.now() });
  };
  for (let n = 0; n < MESSAGES; n += AT_ONCE) {
    const name = `new${n / NEW_EVERY}`;
    if (n > 0 && n % NEW_EVERY === 0) {
      await world.createAgent({ name });
      made.set(name, Date.now());
      chats.push({ name, chat: world.chat(name) });
    }
    await Promise.all(Array.from({ length: AT_ONCE }, (_, at) => send(n + at)));
    const { pid } = await world.session('a');
    if (n === MESSAGES / 2 && pid !== null) process.kill(pid, 'SIGKILL');
  }
  for (const { id } of sent) await world.settled(id);
  while ((await world.status()).open.deliveries > 0) await pause(POLL_MS);
  process.kill(host, 'SIGKILL');
  await world.end('SIGTERM'); // strace ends with what it traces
  await reapStrays(homeAt(world.home).label);
  world.before = [];
  const shown = chats.flatMap(({ name, chat }) =>
    chat.events.map((event, at) => ({ chat: name, event, at: chat.times[at] ?? 0 })),
  );
  const ops = readTrace(readFileSync(file, 'utf8')).filter(({ path }) => `${path}/`.startsWith(`${world.home}/`));
  return { ops, sent, shown, made };
}

/** The power goes before this call: after the first acknowledgement, every other time where something waits for its sync. */
function pickCut({ ops, sent }: Traced, random: Random): number {
  const from = Math.min(...sent.map((it) => it.acknowledgedAt)) / 1000;
  const after = ops.flatMap((op, at) => (op.at > from ? [at] : []));
  const unsynced = after.filter((at) => ops[at]?.kind === 'sync');
  const among = random.chance(50) ? unsynced : after;
  return among[random.below(among.length)] ?? ops.length;
}

/** A host on what was found; what was not acknowledged is sent again. Until all is answered and shown. */
async function goOn(world: World, { sent, shown, made }: Traced, cutAt: number): Promise<Tally> {
  const tally = new Tally();
  const take = (chat: string, event: Chat['events'][number]): void => {
    if (event.type === 'message') tally.received({ ...event, chat });
  };
  // A clock of whole milliseconds: only what surely came before.
  const isBefore = (at: number): boolean => (at + 1) / 1000 < cutAt;
  for (const it of shown) if (isBefore(it.at)) take(it.chat, it.event);
  await world.start();
  for (const [name, at] of made) if (!isBefore(at)) await makeAgain(world, name);
  const ids = new Map<number, string>();
  for (const it of sent) {
    const id = isBefore(it.acknowledgedAt) ? it.id : await world.send(it.chat, it.text, `m${it.n}`);
    ids.set(it.n, id);
    tally.accepted(it.n, { id, chat: it.chat });
  }
  const chats = [...made.keys()].map((name) => ({ name, chat: world.chat(name) }));
  for (const id of ids.values()) await world.settled(id);
  while ((await world.status()).open.deliveries > 0) await pause(POLL_MS);
  for (const { name, chat } of chats) for (const event of chat.events) take(name, event);
  await world.end('SIGKILL');
  // Nobody outlives a power cut: a run that did would write into the files of the next one.
  await reapStrays(homeAt(world.home).label);
  assertWhole(world.home);
  return tally;
}

/** As somebody does who had no answer: it may be there. */
async function makeAgain(world: World, name: string): Promise<void> {
  const { status, body } = await world.call('POST', '/v1/agents', { name, provider: 'mock', sandbox: 'process' });
  assert.ok(status === 201 || status === 409, JSON.stringify(body));
}

/** What every run counts on in its session's folder. */
function assertWhole(home: string): void {
  const it = homeAt(home);
  for (const id of readdirSync(it.sessions)) {
    const { folder, work, out } = sessionPaths(it, id);
    for (const path of [join(folder, 'in', 'files'), join(work, 'home'), join(out, 'files'), join(folder, 'out')])
      assert.ok(existsSync(path), `${path} is missing`);
  }
}

test('what was acknowledged before the power went is answered once, whatever the disk had kept', async (t) => {
  const { world, base } = await prepare(t);
  const traced = await talk(world);
  const random = new Random(SEED);
  for (let n = 0; n < CUTS; n++) {
    const cut = pickCut(traced, random);
    const left = LEFT[n % LEFT.length] ?? 'some';
    const disk = new Disk(base, world.home);
    for (const op of traced.ops.slice(0, cut)) disk.take(op);
    disk.cut(left, random, world.home);
    const tally = await goOn(world, traced, traced.ops[cut]?.at ?? 0);
    const { accepted, lost, duplicates_unmarked } = tally.verdict();
    const where = `cut ${n} before call ${cut} of ${traced.ops.length}, of what was not synced ${left} is there`;
    t.diagnostic(`${where} ${JSON.stringify(tally.verdict())}`);
    for (const it of tally.doubled()) t.diagnostic(`doubled ${JSON.stringify(it)}`);
    assert.deepEqual(
      { accepted, lost, duplicates_unmarked },
      { accepted: MESSAGES, lost: 0, duplicates_unmarked: 0 },
      where,
    );
  }
  assertSynced(traced.ops);
});

/** A commit is on the disk when the header of its journal is gone from there, of the WAL when its last frame is there. */
function assertSynced(ops: readonly FileOp[]): void {
  const committed = { 'central.db-wal': 0, 'inbound.db-journal': 0, 'outbound.db-journal': 0 };
  const names = Object.keys(committed) as (keyof typeof committed)[];
  for (const name of names) {
    for (const path of new Set(ops.flatMap((op) => (op.path.endsWith(name) ? [op.path] : [])))) {
      const own = ops.filter((op) => op.path === path || `${op.path}-journal` === path);
      own.forEach((op, at) => {
        if (!(name === 'central.db-wal' ? isCommitFrame(op) : isEndOfJournal(op))) return;
        committed[name] += 1;
        // The page of a frame comes behind its header.
        const next = own[name === 'central.db-wal' ? at + 2 : at + 1];
        // What was cut off by a kill is followed by nothing, or by the recovery of the next run.
        if (next) assert.deepEqual([next.kind, next.path], ['sync', path], `after a commit in ${path}`);
      });
    }
  }
  for (const name of names) assert.ok(committed[name] > 10, `${name}: ${committed[name]} commits`);
}

/** https://sqlite.org/walformat.html: a frame header of 24 bytes whose second number is not 0 ends a transaction. */
const isCommitFrame = (op: FileOp): boolean =>
  op.kind === 'write' && op.bytes.length === 24 && op.bytes.readUInt32BE(4) !== 0;

/** PERSIST ends a transaction with zeros over the header of the journal. */
const isEndOfJournal = (op: FileOp): boolean =>
  op.kind === 'write' && op.offset === 0 && op.bytes.every((byte) => byte === 0);
