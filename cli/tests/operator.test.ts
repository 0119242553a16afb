import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { openWorld } from '../../tests/world/host.ts';
import { runCli, startCli } from './run-cli.ts';

test('trace: one line a step, what was written below it, and at the end where it stands and what to do', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const { id } = await world.ask('a', '@reply one\\u001b[2J\n@raw thinking aloud');
  const plain = await runCli(world.home, ['trace', id.slice(0, 30)]);
  assert.equal(plain.code, 0, plain.err);
  const lines = plain.out.split('\n');
  assert.equal(lines[0], `message ${id}`);
  assert.match(
    lines[1] ?? '',
    /^ {4}\+0\.000 s {2}\d{4}-\d\d-\d\dT\S+Z {2}accepted {5}from local:\d+ \(owner\) in terminal:a/,
  );
  assert.match(plain.out, /^ +\+\d\.\d{3} s .* notes +#\d+: text of the agent for nobody\n +\| thinking aloud$/m);
  assert.match(
    plain.out,
    /\nNow: The answer is written and waits: nobody is connected to terminal:a\.\nNext: halfdoor chat a\n$/,
  );
  const json = await runCli(world.home, ['trace', id, '--json']);
  assert.equal(JSON.parse(json.out).now.standing, 'undelivered');
  const unknown = await runCli(world.home, ['trace', '0123']);
  assert.deepEqual([unknown.code, unknown.out], [1, '']);
  assert.match(unknown.err, /no message 0123\n.*30 days/);
});

test('dead: listed, shown, taken up again, dropped', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  assert.equal((await runCli(world.home, ['dead', 'list'])).out, 'no dead letters\n');
  const { id } = await world.ask('a', '@fail fatal broken');
  const list = await runCli(world.home, ['dead', 'list', '--json']);
  const [{ id: letter }] = JSON.parse(list.out) as [{ id: string }];
  assert.match(
    (await runCli(world.home, ['dead', 'list'])).out,
    new RegExp(`\n${letter} +message +a +0 .* the agent failed: broken\n$`),
  );
  const shown = await runCli(world.home, ['dead', 'show', letter]);
  assert.match(shown.out, new RegExp(`^message +${id}$`, 'm'));
  assert.match(shown.out, /@fail fatal broken\n$/);
  const replayed = await runCli(world.home, ['dead', 'replay', letter]);
  assert.match(replayed.out, new RegExp(`^${letter} is taken up again as [0-9a-f-]{36}\n$`));
  await world.settled(id);
  const all = await runCli(world.home, ['dead', 'replay', '--all', '--json']);
  assert.equal(JSON.parse(all.out).replayed.length, 1);
  await world.settled(id);
  const [{ id: last }] = JSON.parse((await runCli(world.home, ['dead', 'list', '--json'])).out) as [{ id: string }];
  assert.equal((await runCli(world.home, ['dead', 'drop', last])).out, `dropped ${last}\n`);
  assert.equal((await runCli(world.home, ['dead', 'drop', last])).code, 1);
  assert.equal((await runCli(world.home, ['dead', 'replay', '--all'])).out, 'no dead letters\n');
});

test('sessions: shown, followed, stopped, reset', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  await world.reply('a', '@reply one');
  const { id } = await world.session('a');
  const shown = await runCli(world.home, ['sessions', 'show', id.slice(0, 30)]);
  assert.match(shown.out, /^sizes +inbound\.db \d+ KiB, outbound\.db \d+ KiB, work 0 KiB in 0 files$/m);
  assert.match(shown.out, /^ {2}1 {2}\S+Z {2}under way$/m);
  const { child, ended } = startCli(world.home, ['sessions', 'tail', id, '-f']);
  const seen = new Promise<void>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (/ out +#\d+ to terminal:a: two$/.test(line)) resolve();
    });
  });
  const once = await runCli(world.home, ['sessions', 'tail', id, '--json']);
  assert.deepEqual(
    once.out
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { type: string }).type),
    ['in', 'run', 'out', 'settled'],
  );
  await world.reply('a', '@reply two');
  await seen;
  assert.match((await runCli(world.home, ['sessions', 'stop', id])).out, /had nothing open; no run of it is left\n$/);
  const reset = await runCli(world.home, ['sessions', 'reset', id]);
  assert.equal(reset.out, `${id} has ended. The next message begins a new conversation.\n`);
  assert.equal((await runCli(world.home, ['sessions', 'reset', id])).code, 1);
  await world.end('SIGTERM');
  assert.equal((await ended).code, 3);
});
