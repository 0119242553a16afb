/** An agent in Docker, through the doors people use; and what they meet when the engine or the image is away. */
// needs: docker
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer, connect, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { homeAt } from '../../host/home.ts';
import { openWorld, type World } from '../world/host.ts';
import { appears } from '../world/appears.ts';
import { docker, dockerEnv, TEST_BASE } from '../world/engine.ts';
import { killOne } from '../world/kill.ts';

const REAL = (process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock').replace(/^unix:\/\//, '');

/** The engine's socket behind one of the test's own, which can be away. */
class Door {
  readonly path: string;
  #server: Server | null = null;
  readonly #open = new Set<Socket>();

  constructor(folder: string) {
    this.path = join(folder, 'engine.sock');
  }

  async open(): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (client) => {
      const engine = connect({ path: REAL, allowHalfOpen: true });
      for (const it of [client, engine]) {
        this.#open.add(it);
        it.on('error', () => undefined).on('close', () => (this.#open.delete(it), client.destroy(), engine.destroy()));
      }
      client.pipe(engine).pipe(client);
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.path, resolve));
  }

  async shut(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const it of this.#open) it.destroy();
    await closed;
  }
}

/** The first notice in a chat that says so. */
function told(world: World, agent: string, words: RegExp): Promise<string> {
  return world
    .chat(agent)
    .until(
      (events) => events.flatMap((it) => (it.type === 'message' && it.notice && words.test(it.text) ? it.text : []))[0],
    );
}

async function openDocker(t: TestContext, env: Record<string, string> = {}): Promise<World> {
  const world = await openWorld(t, { ...dockerEnv(), ...env });
  await world.createAgent({ name: 'a', sandbox: 'docker' });
  return world;
}

const containersOf = (world: World): string[] => {
  const { label } = homeAt(world.home);
  return docker('ps', '--all', '--quiet', '--filter', `label=halfdoor.install=${label}`).split('\n').filter(Boolean);
};

test('a whole conversation through Docker: replies, a command inside, a file, and no network', async (t) => {
  const world = await openDocker(t);
  assert.equal(await world.reply('a', '@reply hello'), 'hello');
  const seen = await world.reply('a', '@shell echo here > kept; cat kept; id -u; cat /proc/net/dev; cat /proc/1/comm');
  assert.match(seen, /^here$/m);
  assert.match(seen, /^tini$/m);
  assert.match(seen, new RegExp(`^${process.getuid?.()}$`, 'm'));
  assert.deepEqual(
    [...seen.matchAll(/^ *(\w+):/gm)].map(([, name]) => name),
    ['lo'],
  );
  await world.restart('SIGTERM');
  assert.match(await world.reply('a', '@shell cat kept'), /^here$/m);
  await world.restart('SIGKILL');
  assert.match(await world.reply('a', '@shell cat kept'), /^here$/m);
  assert.equal(containersOf(world).length, 1, 'what the host before left is still there');
});

test('a container that is killed by another hand: the message is answered by the next', async (t) => {
  const world = await openDocker(t);
  await world.reply('a', '@reply warm');
  const id = await world.send('a', '@shell touch began; while ! [ -e go ]; do sleep 0.1; done\n@reply done');
  const [container = ''] = containersOf(world);
  const { folder } = await world.session('a');
  await appears(join(folder, 'work'), 'began');
  docker('kill', container);
  writeFileSync(join(folder, 'work', 'go'), '');
  assert.equal((await world.settled(id)).status, 'answered');
});

test('the engine goes away and comes back: people are told, others are answered, the work goes on by itself', async (t) => {
  const world = await openWorld(t, { ...dockerEnv(), HALFDOOR_DOCKER: '/usr/bin/docker' });
  const door = new Door(world.folder);
  t.after(() => door.shut());
  world.env.DOCKER_HOST = `unix://${door.path}`;
  await door.open();
  await world.restart('SIGTERM');
  await world.createAgent({ name: 'a', sandbox: 'docker' });
  await world.createAgent({ name: 'b' });
  await world.reply('a', '@reply warm');
  await door.shut();
  killOne((await world.session('a')).pid, 'SIGKILL');
  const id = await world.send('a', '@reply at last');
  assert.match(await told(world, 'a', /waits/), /the Docker engine does not answer/);
  assert.equal(await world.reply('b', '@reply meanwhile'), 'meanwhile');
  assert.equal((await world.call<{ status: string }>('GET', `/v1/messages/${id}`)).body.status, 'accepted');
  await door.open();
  const view = await world.settled(id);
  assert.deepEqual([view.status, view.replies.map((it) => it.text)], ['answered', ['at last']]);
});

test('an image that was pruned: people are told by which command it comes, and once it is there the work goes on', async (t) => {
  const image = `halfdoor-test-${crypto.randomUUID()}:1`;
  docker('tag', TEST_BASE, image);
  const world = await openDocker(t, { HALFDOOR_IMAGE: image });
  docker('image', 'rm', image);
  const id = await world.send('a', '@reply at last');
  assert.match(await told(world, 'a', /waits/), /the image halfdoor-test-\S+ is not here\. \.\/halfdoor image build/);
  docker('tag', TEST_BASE, image);
  t.after(() => docker('image', 'rm', image));
  assert.equal((await world.settled(id)).status, 'answered');
});
