/** A host at its edges: told to end before it has begun, without a place for its log, in folders too deep. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, watch } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { ROOT } from '../world/programs.ts';
import { World } from '../world/host.ts';
import { killOne } from '../world/kill.ts';

const EARLY_TRIES = 20;

/** Tells a fresh host to end as soon as it has begun to start; what became of its start. */
async function endEarly(t: TestContext): Promise<string> {
  const world = new World({});
  t.after(() => world.close());
  const begun = new Promise<void>((resolve) => {
    const watcher = watch(world.home, (_, name) => {
      if (name !== 'run') return;
      watcher.close();
      resolve();
    });
  });
  const started = world.start().then(
    () => 'ready',
    (error: Error) => error.message,
  );
  await begun;
  killOne(world.pid, 'SIGTERM');
  return started;
}

test('told to end while it starts, it ends', async (t) => {
  let became = 'ready';
  // On a busy machine it may be ready before it can be told.
  for (let n = 0; n < EARLY_TRIES && became === 'ready'; n++) became = await endEarly(t);
  assert.match(became, /the host ended with 0/);
});

test('a host goes on when nobody takes its log any more', async (t) => {
  const world = new World({});
  const host = spawn(process.execPath, [join(ROOT, 'host', 'main.ts')], { env: world.env });
  const ended = once(host, 'exit');
  t.after(async () => {
    host.kill('SIGTERM');
    await ended;
    await world.close();
  });
  const [line] = (await once(createInterface({ input: host.stdout }), 'line')) as [string];
  assert.equal(line, 'ready');
  host.stdout.destroy();
  await world.createAgent({ name: 'a' });
  // Each death is a line in the log.
  assert.match((await world.ask('a', '@die')).error ?? '', /died each time/);
  assert.equal(await world.reply('a', '@reply here'), 'here');
});

test('a runtime folder too deep for sockets is not used', async (t) => {
  const world = new World({});
  const deep = join(world.folder, 'deep'.repeat(20));
  mkdirSync(deep, { mode: 0o700 });
  world.env.XDG_RUNTIME_DIR = deep;
  t.after(() => world.close());
  await world.start();
  await world.createAgent({ name: 'a' });
  assert.equal(await world.reply('a', '@reply here'), 'here');
});
