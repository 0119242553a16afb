import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { connectBell, listenBell } from '../bell.ts';
import { isFault } from '../fault.ts';
import { LIMITS } from '../limits.ts';
import { inWorld, OWN, RUNTIMES, type World } from './world.ts';

const RINGS = 10_000;
const LIMIT = { timeout: 240_000 };

/** Counts calls, and lets a test wait for the next one that makes `enough` true. */
function lookout() {
  let looks = 0;
  const waiting: (() => void)[] = [];
  const look = (): void => {
    looks += 1;
    waiting.splice(0).forEach((wake) => wake());
  };
  const until = async (enough: () => boolean): Promise<void> => {
    while (!enough()) await new Promise<void>((resolve) => waiting.push(resolve));
  };
  return { look, until, looks: () => looks };
}

function counterIn(world: World): { path: string; value(): number } {
  const path = join(world.folder, 'counter');
  writeFileSync(path, '00000000');
  return { path, value: () => Number(readFileSync(path, 'utf8')) };
}

const closed = (socket: Socket): Promise<void> => new Promise((resolve) => socket.on('close', () => resolve()));

for (const peer of RUNTIMES) {
  test(`${RINGS} rings of a runner (${peer}) reach the host (${OWN}): after the last one it looks`, LIMIT, () =>
    inWorld(async (world) => {
      const path = join(world.folder, 'bell.sock');
      const counter = counterIn(world);
      const { look, until, looks } = lookout();
      const bell = await listenBell(path, look);
      const runner = world.peer(peer, 'bell-runner', { path, rings: RINGS, counter: counter.path });
      // No poll stands behind this: were the last ring lost, it would wait for ever.
      await until(() => counter.value() === RINGS);
      assert.deepEqual(await runner.line(), { rung: RINGS, refused: 0 });
      assert.ok(looks() <= RINGS + 1);
      await bell.close();
      assert.deepEqual(await runner.line(), { gone: true });
    }),
  );

  test(`${RINGS} rings of the host (${peer}) reach a runner (${OWN}), and its death by SIGKILL does`, LIMIT, () =>
    inWorld(async (world) => {
      const path = join(world.folder, 'bell.sock');
      const counter = counterIn(world);
      const { look, until } = lookout();
      const host = world.peer(peer, 'bell-host', { path, rings: RINGS, counter: counter.path });
      assert.deepEqual(await host.line(), { listening: true });
      const bell = await connectBell(path, look);
      await until(() => counter.value() === RINGS);
      assert.deepEqual(await host.line(), { rung: RINGS });
      assert.ok(bell.ring());
      await host.kill();
      await bell.gone;
      assert.equal(bell.ring(), false);
      // The dead host's socket is still there; the next host takes its place.
      assert.ok(existsSync(path));
      const next = await listenBell(path, () => undefined);
      const again = await connectBell(path, () => undefined);
      await next.close();
      await again.gone;
      assert.ok(!existsSync(path), 'closing removes the socket');
    }),
  );

  test(`a flood from ${peer} costs the host (${OWN}) at most one look in ${LIMITS.bellPauseMs} ms`, LIMIT, () =>
    inWorld(async (world) => {
      const path = join(world.folder, 'bell.sock');
      const { look, looks } = lookout();
      const started = performance.now();
      const bell = await listenBell(path, look);
      const flood = world.peer(peer, 'bell-flood', { path, ms: 1_000, connections: 6 });
      const poured = await flood.line();
      await flood.exit;
      const most = (performance.now() - started) / LIMITS.bellPauseMs + 5;
      assert.ok(Number(poured.bytes) > 100_000, 'it was a flood');
      assert.ok(looks() > 1 && looks() <= most, `${looks()} looks, at most ${most}`);
      await bell.close();
    }),
  );

  test(`a flood from ${peer} is held back by the host (${OWN}): its sender waits`, LIMIT, () =>
    inWorld(async (world) => {
      const path = join(world.folder, 'bell.sock');
      const started = performance.now();
      const bell = await listenBell(path, () => undefined);
      const poured = await world.peer(peer, 'bell-flood', { path, ms: 500, connections: 1 }).line();
      // A runtime takes up to 512 KiB at once; what the kernel keeps comes on top.
      const most = ((performance.now() - started) / LIMITS.bellPauseMs) * 512 * 1024 + 2 ** 20;
      assert.ok(Number(poured.bytes) <= most, `${poured.bytes} bytes, at most ${most}`);
      await bell.close();
    }),
  );

  test(`runners (${peer}) killed by SIGKILL leave their places to others`, LIMIT, () =>
    inWorld(async (world) => {
      const path = join(world.folder, 'bell.sock');
      const bell = await listenBell(path, () => undefined);
      const runners = Array.from({ length: LIMITS.bellConnections }, () =>
        world.peer(peer, 'bell-runner', { path, rings: 1 }),
      );
      for (const it of runners) assert.deepEqual(await it.line(), { rung: 1, refused: 0 });
      const fifth = await connectBell(path, () => undefined);
      await fifth.gone;
      await runners[0]?.kill();
      // Its end reaches the host in the loop's own time: whoever is refused until then tries again.
      for (;;) {
        const rings = lookout();
        const next = await connectBell(path, rings.look);
        bell.ring();
        if (
          (await Promise.race([
            next.gone.then(() => 'gone'),
            rings.until(() => rings.looks() > 1).then(() => 'rung'),
          ])) === 'rung'
        )
          break;
      }
      await bell.close();
    }),
  );
}

test('connecting counts as a ring on both sides', () =>
  inWorld(async (world) => {
    const path = join(world.folder, 'bell.sock');
    const host = lookout();
    const runner = lookout();
    const bell = await listenBell(path, host.look);
    assert.equal(host.looks(), 0);
    const other = await connectBell(path, runner.look);
    assert.equal(runner.looks(), 1);
    await host.until(() => host.looks() === 1);
    other.close();
    await other.gone;
    assert.equal(other.ring(), false);
    await bell.close();
    bell.ring();
  }));

test('a ring that comes right after another is looked at too, whoever rings', LIMIT, () =>
  inWorld(async (world) => {
    const path = join(world.folder, 'bell.sock');
    let rung = 0;
    let seen = 0;
    const { look, until } = lookout();
    const bell = await listenBell(path, () => {
      seen = rung;
      look();
    });
    const runners = await Promise.all([0, 1, 2].map(() => connectBell(path, () => undefined)));
    for (let round = 0; round < 50; round += 1) {
      for (const it of runners) {
        rung += 1;
        it.ring();
        await new Promise((resolve) => setImmediate(resolve));
      }
      await until(() => seen === rung);
    }
    await bell.close();
    await Promise.all(runners.map((it) => it.gone));
  }),
);

test('a peer that never reads costs the host no memory, and still looks at last', LIMIT, () =>
  inWorld(async (world) => {
    const path = join(world.folder, 'bell.sock');
    const host = lookout();
    const bell = await listenBell(path, host.look);
    const deaf = connect(path);
    deaf.pause();
    await host.until(() => host.looks() === 1);
    for (let at = 0; at < 100_000; at += 1) bell.ring();
    let bytes = 0;
    const heard = new Promise<void>((resolve) => deaf.on('data', (chunk) => ((bytes += chunk.length), resolve())));
    deaf.resume();
    await heard;
    // Whatever else was kept for it comes in the next turns of the loop.
    for (let turn = 0; turn < 500; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    await bell.close();
    await closed(deaf);
    assert.ok(bytes > 0 && bytes < 5_000, `${bytes} bytes were kept for it`);
  }),
);

test('a path that is too long is a clear fault at both ends', () =>
  inWorld(async (world) => {
    const fill = (bytes: number): string => join(world.folder, 'x'.repeat(bytes - world.folder.length - 1));
    const long = fill(LIMITS.socketPathBytes + 1);
    const isClear = (error: unknown): boolean =>
      isFault(error, 'path-too-long') && error.message.includes('107') && error.next !== '';
    await assert.rejects(
      listenBell(long, () => undefined),
      isClear,
    );
    await assert.rejects(
      connectBell(long, () => undefined),
      isClear,
    );
    const just = fill(LIMITS.socketPathBytes);
    const bell = await listenBell(just, () => undefined);
    (await connectBell(just, () => undefined)).close();
    await bell.close();
    assert.ok(!existsSync(just));
  }));

test('only a socket that nobody listens on is replaced', () =>
  inWorld(async (world) => {
    const path = join(world.folder, 'bell.sock');
    const bell = await listenBell(path, () => undefined);
    await assert.rejects(
      listenBell(path, () => undefined),
      (error) => isFault(error, 'busy') && error.next !== '',
    );
    const runner = await connectBell(path, () => undefined);
    assert.ok(runner.ring(), 'the first one is not disturbed');
    await bell.close();
    await runner.gone;
    const file = join(world.folder, 'file');
    writeFileSync(file, 'kept');
    const link = join(world.folder, 'link');
    symlinkSync(file, link);
    const folder = join(world.folder, 'folder');
    mkdirSync(folder);
    for (const it of [file, link, folder]) {
      await assert.rejects(
        listenBell(it, () => undefined),
        (error) => isFault(error, 'cannot-open'),
      );
    }
    assert.equal(readFileSync(link, 'utf8'), 'kept');
    assert.ok(statSync(folder).isDirectory());
  }));

test('where nobody listens, connecting is refused', () =>
  inWorld(async (world) => {
    await assert.rejects(
      connectBell(join(world.folder, 'none.sock'), () => undefined),
      /ENOENT/,
    );
  }));

test('a runner outlives whatever a host sends, and the end of the stream', () =>
  inWorld(async (world) => {
    const path = join(world.folder, 'bell.sock');
    const peers: Socket[] = [];
    const server = createServer((socket) => peers.push(socket));
    await new Promise<void>((resolve) => server.listen(path, () => resolve()));
    const rings = lookout();
    const bell = await connectBell(path, rings.look);
    await new Promise<void>((resolve) => (peers.length > 0 ? resolve() : server.once('connection', () => resolve())));
    peers[0]?.write(Buffer.alloc(300_000, 7));
    await rings.until(() => rings.looks() > 1);
    peers[0]?.end();
    await bell.gone;
    server.close();
  }));
