/**
 * kill -9 of host, reader, runner and sandbox at every row of the delivery contract, while people talk: real processes,
 * real bubblewrap, senders that repeat as platforms do, a receiver that counts in a process of its own.
 */
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { homeAt } from '../host/home.ts';
import { Random } from '../tests/crash/sim/random.ts';
import { World } from '../tests/world/host.ts';
import { bunPath, ROOT } from '../tests/world/programs.ts';
import { Counts, nextPair } from './crash/plan.ts';
import { Sender } from './crash/sender.ts';
import { Siege, type Chat } from './crash/siege.ts';
import { Recoveries, table } from './crash/table.ts';
import { Tally, type Received, type Verdict } from './crash/tally.ts';
import { pause } from './measure.ts';

export type CrashOptions = { messages: number; kills: number; seed: number };
/** Milliseconds from a kill to the next reply of its session; of the host, to its next answer. */
export type Figures = Verdict & { kills: number; recovery_p50_ms: number; recovery_p99_ms: number };

const CHATS = ['a', 'b', 'c', 'd'];
/** A reply that has not come by then never will. */
const QUIET_MS = 60_000;
const POLL_MS = 2;

export async function crash(options: CrashOptions): Promise<Figures> {
  const world = new World({ NODE_OPTIONS: `--import=${join(ROOT, 'bench', 'crash', 'watched.ts')}` });
  const gate = watchedPrograms(world);
  const tally = new Tally();
  await world.start();
  let receiver: ReturnType<typeof spawn> | null = null;
  try {
    for (const name of CHATS) await world.createAgent({ name, sandbox: 'bubblewrap' });
    receiver = startReceiver(world, gate, (it) => tally.received(it));
    const figures = await besiege(world, gate, tally, options);
    return { ...tally.verdict(), ...figures };
  } finally {
    receiver?.kill('SIGKILL');
    await world.close();
  }
}

/** Runner and reader in one folder, the runner watched; the same folder is where controller and watched meet. */
function watchedPrograms(world: World): string {
  const whole = world.env.HALFDOOR_DIST ?? '';
  const gate = join(world.folder, 'watched');
  mkdirSync(gate, { mode: 0o700 });
  for (const name of readdirSync(whole))
    if (name.startsWith('reader')) copyFileSync(join(whole, name), join(gate, name));
  execFileSync(bunPath(), [join(ROOT, 'bench', 'crash', 'bundle.ts'), gate], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  world.env.HALFDOOR_DIST = gate;
  return gate;
}

function startReceiver(world: World, gate: string, take: (received: Received) => void) {
  const child = spawn(
    process.execPath,
    [join(ROOT, 'bench', 'crash', 'receiver-main.ts'), world.home, gate, ...CHATS],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  createInterface({ input: child.stdout }).on('line', (line) => take(JSON.parse(line) as Received));
  return child;
}

async function besiege(world: World, gate: string, tally: Tally, { messages, kills, seed }: CrashOptions) {
  const random = new Random(seed);
  const counts = new Counts();
  const recoveries = new Recoveries();
  // Spread over the kills; but a step that is waited for must come.
  const mayGo = (sent: number): boolean =>
    sent * (kills + 1) < messages * (counts.total + 1) ||
    (counts.total < kills && tally.open(null).length < CHATS.length);
  const sender = new Sender(world, tally, new Random(seed + 1), mayGo);
  const siege = new Siege({ world, install: homeAt(world.home).label, gate, random, chats: await sessionsOf(world) });
  const sending = sender.run(CHATS);
  while (counts.total < kills) {
    const pair = nextPair(counts, random);
    const killed = await siege.kill(pair);
    if (killed === null) continue;
    counts.add(pair);
    if (pair.role === 'host') await world.status();
    else await nextReply(tally, killed.chat);
    recoveries.add(pair.role, performance.now() - killed.at);
  }
  while (sender.sent < messages) await pause(POLL_MS);
  sender.end();
  await sending;
  await quiet(world, tally);
  siege.close();
  process.stderr.write(`${table(counts, recoveries)}\n`);
  const { p50, p99 } = recoveries.of(null);
  return { kills: counts.total, recovery_p50_ms: p50, recovery_p99_ms: p99 };
}

/** A command makes the session, and is no message that is counted. */
async function sessionsOf(world: World): Promise<Chat[]> {
  const chats: Chat[] = [];
  for (const name of CHATS) {
    await world.send(name, '/status');
    chats.push({ name, session: (await world.session(name)).id });
  }
  return chats;
}

/** Until something that is open there now is open no more; nothing when nothing is. */
async function nextReply(tally: Tally, chat: string | null): Promise<void> {
  const before = tally.open(chat);
  const isLeft = (): boolean => before.length > 0 && before.every((id) => tally.open(chat).includes(id));
  for (const began = performance.now(); isLeft() && performance.now() - began < QUIET_MS;) await pause(POLL_MS);
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
