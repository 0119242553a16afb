/** Cold: a message to a sleeping session → its reply. Stricter than "first provider call": the way back is in it. */
import { Client, inWorld, percentile, roundTrip } from './measure.ts';

const AGENTS = 8;
const ROUNDS = 5;

export async function cold(): Promise<object> {
  const times = await inWorld(async (world) => {
    const names = Array.from({ length: AGENTS }, (_, n) => `a${n}`);
    for (const name of names) {
      await world.createAgent({ name, sandbox: 'bubblewrap' });
      await world.reply(name, '@reply warm');
    }
    const taken: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await world.restart('SIGTERM');
      for (const name of names) {
        const client = new Client(world);
        const chat = world.chat(name);
        await chat.until(
          (events) =>
            events.find((it) => it.type === 'ready' && it.waiting === 0) ?? (chat.texts.length > 0 || undefined),
        );
        taken.push(await roundTrip(client, chat, name, `cold${round}`));
        chat.close();
        client.close();
      }
    }
    return taken;
  });
  return { bubblewrap: { p50_ms: percentile(times, 0.5), p95_ms: percentile(times, 0.95) } };
}
