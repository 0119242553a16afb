/** Cold: a message to a sleeping session → its reply. Stricter than "first provider call": the way back is in it. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { neededImage } from '../host/image/needed.ts';
import type { SandboxKind } from '../host/sandboxes/sandbox.ts';
import { Client, inWorld, percentile, roundTrip } from './measure.ts';

const AGENTS = 8;
const ROUNDS = 5;

/** `docker` is null where no engine answers that has the image; HALFDOOR_IMAGE names another. */
export async function cold(): Promise<object> {
  const image = process.env.HALFDOOR_IMAGE ?? neededImage(join(import.meta.dirname, '..')).name;
  const isHere = spawnSync('/usr/bin/docker', ['image', 'inspect', image], { stdio: 'ignore' }).status === 0;
  const { DOCKER_HOST: engine } = process.env;
  const env = { HALFDOOR_IMAGE: image, ...(engine !== undefined && { DOCKER_HOST: engine }) };
  const [bubblewrap, docker] = [await times('bubblewrap', {}), isHere ? await times('docker', env) : null];
  return { bubblewrap, docker };
}

async function times(sandbox: SandboxKind, env: Record<string, string>): Promise<object> {
  const taken: number[] = [];
  await inWorld(async (world) => {
    const names = Array.from({ length: AGENTS }, (_, n) => `a${n}`);
    for (const name of names) {
      await world.createAgent({ name, sandbox });
      await world.reply(name, '@reply warm');
    }
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
  }, env);
  return { p50_ms: percentile(taken, 0.5), p95_ms: percentile(taken, 0.95) };
}
