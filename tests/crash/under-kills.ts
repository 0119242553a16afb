import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { SandboxKind } from '../../host/sandboxes/sandbox.ts';
import type { ChatEvent } from '../../host/api/contract.ts';
import { openWorld, type Chat, type World } from '../world/host.ts';

/** Of the runs, every third kill is of the host. */
const HOST_EVERY = 3;

type Shown = Extract<ChatEvent, { type: 'message' }>;

/** Sends with an id of its own until it is accepted, as a channel that waits for an acknowledgement does. */
async function sendUntilAccepted(world: World, n: number, up: () => Promise<void>): Promise<string> {
  for (;;) {
    try {
      return await world.send('a', `@slow ${n % 3 === 0 ? 30 : 0}\n@reply n${n}`, `message-${n}`);
    } catch (error) {
      if (!/ECONN|EPIPE|ENOENT|socket hang up|aborted/.test(String(error))) throw error;
      await up();
    }
  }
}

export type Under = {
  sandbox: SandboxKind;
  env?: Record<string, string>;
  messages: number;
  kills: number;
};

/** kill -9 of runs and hosts while one person talks: nothing accepted is lost, and no second copy is silent. */
export async function underKills(
  t: TestContext,
  { sandbox, env = {}, messages: count, kills: most }: Under,
): Promise<void> {
  const world = await openWorld(t, env);
  await world.createAgent({ name: 'a', sandbox });
  const shown: Shown[] = [];
  let chat: Chat | null = null;
  let restarting: Promise<void> = Promise.resolve();
  const connect = (): void => {
    const earlier = chat;
    chat = world.chat('a');
    if (earlier) shown.push(...messagesOf(earlier));
  };
  connect();
  const restart = (): void => {
    restarting = world.restart('SIGKILL').then(connect);
  };
  let kills = 0;
  let hostKills = 0;
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    ids.push(await sendUntilAccepted(world, n, () => restarting));
    if (n % 5 !== 4 || kills >= most) continue;
    // Two kills in a row, then all is settled: a third would rightly give the messages up.
    if (kills % 2 === 0) {
      await restarting;
      await Promise.all(ids.map((id) => world.settled(id)));
    }
    kills += 1;
    if (kills % HOST_EVERY === 0) {
      hostKills += 1;
      restart();
      continue;
    }
    await restarting;
    const { pid } = await world.session('a');
    if (pid !== null) killRun(pid);
  }
  await restarting;
  assert.ok(kills >= most - 1 && hostKills >= most / (2 * HOST_EVERY));
  const views = await Promise.all(ids.map((id) => world.settled(id, 300_000)));
  // A reply to several messages of one batch is a reply to each of them; each text is one delivery all the same.
  const deliveries = new Map(views.flatMap((it) => it.replies.map((reply) => [reply.delivery, reply.text])));
  const texts = ids.map((_, n) => `n${n}`);
  assert.deepEqual([...deliveries.values()].sort(), [...texts].sort());
  views.forEach((it, n) =>
    assert.ok(
      it.replies.some((reply) => reply.text === `n${n}`),
      `n${n}: ${JSON.stringify(it)}`,
    ),
  );
  const last = `n${count - 1}`;
  await chatOf(chat).until((events) => messages(events).find((it) => it.text === last));
  shown.push(...messagesOf(chatOf(chat)));
  chatOf(chat).close();
  const silent = new Map<string, number>();
  for (const it of shown) if (!it.mayBeDuplicate) silent.set(it.text, (silent.get(it.text) ?? 0) + 1);
  const doubled = [...silent].filter(([text, count]) => count > 1 && text.startsWith('n'));
  assert.deepEqual(doubled, []);
  for (const text of texts)
    assert.ok(
      shown.some((it) => it.text === text),
      `${text} was never shown`,
    );
}

const messages = (events: ChatEvent[]): Shown[] => events.filter((it): it is Shown => it.type === 'message');
const messagesOf = (chat: Chat): Shown[] => messages(chat.events);

function chatOf(chat: Chat | null): Chat {
  assert.ok(chat);
  return chat;
}

function killRun(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended a moment ago, and the host has not seen it yet.
  }
}
