/** Warm: message in → reply out, with a provider that takes no time; floor and messages interleaved. */
import { Line } from './line.ts';
import { inWorld, makeFloor, pause, percentile, round } from './measure.ts';

const WARM_UP = 30;
const MESSAGES = 300;
const GAP_MS = 10;

type Figures = { p50_ms: number; p95_ms: number; p99_ms: number; ratio: number };

export async function latency(): Promise<object> {
  const floors: number[] = [];
  const figures: Record<string, Figures> = {};
  for (const sandbox of ['process', 'bubblewrap'] as const) {
    const own: number[] = [];
    const times = await inWorld(async (world) => {
      await world.createAgent({ name: 'a', sandbox });
      const line = new Line(world, 'a');
      const floor = makeFloor();
      const taken: number[] = [];
      for (let n = 0; n < WARM_UP + MESSAGES; n++) {
        const took = await line.roundTrip(`n${n}`);
        await pause(GAP_MS);
        const commit = floor.measure();
        await pause(GAP_MS);
        if (n >= WARM_UP) taken.push(took);
        if (n >= WARM_UP) own.push(commit);
      }
      floor.close();
      line.close();
      return taken;
    });
    floors.push(...own);
    const ratio = round(percentile(times, 0.5) / percentile(own, 0.5));
    figures[sandbox] = {
      p50_ms: percentile(times, 0.5),
      p95_ms: percentile(times, 0.95),
      p99_ms: percentile(times, 0.99),
      ratio,
    };
  }
  return { floor_ms: percentile(floors, 0.5), ...figures };
}
