/** What a message costs after 100,000 others: two hosts side by side, one that is new and one with a past, asked in turns. */
import { homeAt, sessionPaths } from '../host/home.ts';
import type { World } from '../tests/world/host.ts';
import { fillCentral, fillOutbound } from './history/fill.ts';
import { Line } from './line.ts';
import { inWorld, pause, percentile, round } from './measure.ts';

const ROWS = 100_000;
const WARM_UP = 50;
const MESSAGES = 400;
const GAP_MS = 5;
const AGENT = 'a';

export async function history(): Promise<object> {
  return inWorld((empty) =>
    inWorld(async (full) => {
      for (const world of [empty, full]) await openSession(world);
      const { id } = await full.session(AGENT);
      await full.end('SIGTERM');
      const home = homeAt(full.home);
      const cursor = fillCentral(home.central, id, ROWS);
      fillOutbound(sessionPaths(home, id).outbound, cursor);
      await full.start();
      return measure(empty, full);
    }),
  );
}

async function openSession(world: World): Promise<void> {
  await world.createAgent({ name: AGENT, sandbox: 'bubblewrap' });
  const line = new Line(world, AGENT);
  await line.roundTrip('first');
  // Closed before its confirmation is taken, it would be shown again, and nothing behind it.
  while ((await world.status()).open.deliveries > 0) await pause(GAP_MS);
  line.close();
}

async function measure(empty: World, full: World): Promise<object> {
  const lines = [empty, full].map((world) => ({ line: new Line(world, AGENT), taken: [] as number[] }));
  for (let n = 0; n < WARM_UP + MESSAGES; n++) {
    for (const { line, taken } of lines) {
      const took = await line.roundTrip(`n${n}`);
      if (n >= WARM_UP) taken.push(took);
      await pause(GAP_MS);
    }
  }
  for (const { line } of lines) line.close();
  const [before = Number.NaN, after = Number.NaN] = lines.map(({ taken }) => percentile(taken, 0.5));
  return { rows: ROWS, per_message_ms_empty: before, per_message_ms_full: after, ratio: round(after / before) };
}
