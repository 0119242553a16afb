/** An agent that has been taken over, and another one whose messages are answered meanwhile. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { AgentInput } from '../../host/api/contract.ts';
import { openWorld, type World } from '../world/host.ts';

export type Kind = NonNullable<AgentInput['sandbox']>;

export type Scene = {
  world: World;
  /** Runs `attack` while the other agent is spoken to without a pause; prints how long those answers took. */
  meanwhile<T>(what: string, attack: () => Promise<T>): Promise<T>;
};

export async function scene(t: TestContext, kind: Kind = 'bubblewrap'): Promise<Scene> {
  const world = await openWorld(t);
  for (const name of ['bad', 'good']) {
    await world.createAgent({ name, sandbox: kind });
    await world.reply(name, '@reply up');
  }
  const meanwhile: Scene['meanwhile'] = async (what, attack) => {
    const tookMs: number[] = [];
    let over = false;
    const others = async (): Promise<void> => {
      do {
        const began = performance.now();
        assert.equal(await world.reply('good', '@reply still'), 'still');
        tookMs.push(performance.now() - began);
      } while (!over);
    };
    const answering = others();
    const result = await attack().finally(() => (over = true));
    await answering;
    tookMs.sort((a, b) => a - b);
    const at = (part: number): string => (tookMs[Math.floor(part * (tookMs.length - 1))] ?? 0).toFixed(1);
    process.stderr.write(`${what}: others p50 ${at(0.5)} ms, p99 ${at(0.99)} ms of ${tookMs.length}\n`);
    return result;
  };
  return { world, meanwhile };
}
