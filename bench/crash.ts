/**
 * kill -9 of host, reader, runner and sandbox at every row of the delivery contract, while people talk: real processes,
 * real bubblewrap, senders that repeat as platforms do, a receiver that counts in a process of its own.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { homeAt } from '../host/home.ts';
import { Random } from '../tests/crash/sim/random.ts';
import { World } from '../tests/world/host.ts';
import { freePort } from '../tests/world/program.ts';
import { bunPath, ROOT } from '../tests/world/programs.ts';
import { httpDoor, terminalDoor, type Door } from './crash/doors.ts';
import { Counts, nextPair, type Pair } from './crash/plan.ts';
import { openReceiver, type Receiver } from './crash/receiver.ts';
import { Sender } from './crash/sender.ts';
import { Siege, type Chat, type Killed } from './crash/siege.ts';
import { Recoveries, table } from './crash/table.ts';
import { Tally, type Verdict } from './crash/tally.ts';
import { pause } from './measure.ts';

export type CrashOptions = { messages: number; kills: number; seed: number };
/** Milliseconds from a kill to the next reply of its session; of the host, to its next answer. */
export type Figures = Verdict & { kills: number; recovery_p50_ms: number; recovery_p99_ms: number };

const TERMINALS = ['a', 'b'];
const PROGRAMS = ['c', 'd'];
/** What has not come by then never will. */
const QUIET_MS = 60_000;
const POLL_MS = 2;
const SAY_EVERY = 100;
/** In a row: a step that did not come, or nobody there to be killed. */
const MISSES = 200;

export async function crash(options: CrashOptions): Promise<Figures> {
  const world = new World({ NODE_OPTIONS: `--import=${join(ROOT, 'bench', 'crash', 'watched.ts')}` });
  const gate = watchedPrograms(world);
  const tally = new Tally();
  const argv = [world.home, gate, String(options.seed + 2), ...TERMINALS];
  await world.start();
  let receiver: Receiver | null = null;
  try {
    receiver = await openReceiver(argv, (it) => tally.received(it));
    const { url } = receiver;
    const doors: Door[] = [];
    for (const name of TERMINALS) doors.push(await terminalDoor(world, name));
    const port = await freePort();
    for (const name of PROGRAMS) doors.push(await httpDoor(world, name, port, url));
    const figures = await besiege(world, gate, tally, doors, options);
    tell(world, tally);
    return { ...tally.verdict(), ...figures };
  } finally {
    receiver?.end();
    await world.close();
  }
}

/** What went wrong, for whoever looks for the reason. */
function tell(world: World, tally: Tally): void {
  const wrong = { doubled: tally.doubled(), lost: tally.open(null) };
  if (wrong.doubled.length + wrong.lost.length > 0)
    process.stderr.write(`${world.log}\n${JSON.stringify(wrong, null, 2)}\n`);
}

/** Runner and reader in one folder, the runner watched; the same folder is where controller and watched meet. */
function watchedPrograms(world: World): string {
  const whole = world.env.HALFDOOR_DIST ?? '';
  const gate = join(world.folder, 'watched');
  mkdirSync(gate, { mode: 0o700 });
  for (const name of readdirSync(whole).filter((it) => it.startsWith('reader')))
    copyFileSync(join(whole, name), join(gate, name));
  execFileSync(bunPath(), [join(ROOT, 'bench', 'crash', 'bundle.ts'), gate], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  world.env.HALFDOOR_DIST = gate;
  return gate;
}

async function besiege(world: World, gate: string, tally: Tally, doors: Door[], options: CrashOptions) {
  const { messages, kills, seed } = options;
  const random = new Random(seed);
  const counts = new Counts();
  const recoveries = new Recoveries();
  // Spread over the kills; but a step that is waited for must come.
  const mayGo = (sent: number): boolean =>
    sent * (kills + 1) < messages * (counts.total + 1) ||
    (counts.total < kills && tally.open(null).length < doors.length);
  const sender = new Sender(tally, new Random(seed + 1), mayGo);
  const chats = await sessionsOf(world, doors);
  const siege = new Siege({ world, install: homeAt(world.home).label, gate, random, chats });
  const sending = sender.run(doors);
  let isStuck = false;
  while (counts.total < kills && !isStuck) {
    const { pair, killed } = await nextKill(siege, counts, random);
    counts.add(pair);
    if (pair.role === 'host') await world.status();
    else isStuck = !(await nextReply(tally, killed.chat));
    recoveries.add(pair.role, performance.now() - killed.at);
    if (counts.total % SAY_EVERY === 0) process.stderr.write(`${counts.total} kills\n`);
  }
  while (sender.sent < messages && !isStuck) await pause(POLL_MS);
  sender.end();
  await sending;
  await quiet(world, tally);
  siege.close();
  process.stderr.write(`${table(counts, recoveries)}\n`);
  const { p50, p99 } = recoveries.of(null);
  return { kills: counts.total, recovery_p50_ms: p50, recovery_p99_ms: p99 };
}

async function nextKill(siege: Siege, counts: Counts, random: Random): Promise<{ pair: Pair; killed: Killed }> {
  for (let missed = 0; missed < MISSES; missed++) {
    const pair = nextPair(counts, random);
    const killed = await siege.kill(pair);
    if (killed !== null) return { pair, killed };
  }
  throw new Error(`${MISSES} times in a row there was nobody to kill: is anybody talking?`);
}

/** A command makes the session, and is no message that is counted. */
async function sessionsOf(world: World, doors: readonly Door[]): Promise<Chat[]> {
  for (const { name, send } of doors) await send('/status', `status-${name}`);
  return Promise.all(doors.map(async ({ name }) => ({ name, session: (await world.session(name)).id })));
}

/** Until something that is open there now is open no more; nothing when nothing is. False when that never came. */
async function nextReply(tally: Tally, chat: string | null): Promise<boolean> {
  const before = tally.open(chat);
  const isLeft = (): boolean => before.length > 0 && before.every((id) => tally.open(chat).includes(id));
  for (const began = performance.now(); isLeft() && performance.now() - began < QUIET_MS;) await pause(POLL_MS);
  return !isLeft();
}

/** Until nothing is open, in the eyes of people and in those of the host, or nothing changes any more. */
async function quiet(world: World, tally: Tally): Promise<void> {
  let since = performance.now();
  for (let before = Infinity; performance.now() - since < QUIET_MS;) {
    const { messages, deliveries } = (await world.status()).open;
    const now = tally.open(null).length + messages + deliveries;
    if (now === 0) return;
    if (now !== before) since = performance.now();
    before = now;
    await pause(10 * POLL_MS);
  }
}
