/** The doctor and the home of a real host: each thing broken for real, running and not, and mended where it can be. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { homeAt } from '../../host/home.ts';
import { runLabel } from '../../host/sandboxes/label.ts';
import { examine, fixed, ids, runHalfdoor } from '../world/doctor.ts';
import { openWorld, type World } from '../world/host.ts';

const HOUR_MS = 3_600_000;

/** A host that answered once, with one agent and one session. */
async function lived(t: TestContext): Promise<World> {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  assert.equal(await world.reply('a', '@reply hello'), 'hello');
  return world;
}

const central = ({ home }: World): string => join(home, 'central.db');

function change(path: string, sql: string): void {
  const db = new DatabaseSync(path, { timeout: 10_000 });
  db.exec(sql);
  db.close();
}

/** What a start says now: the host itself, and through the CLI. */
async function startsWith(world: World): Promise<string> {
  const itself = await world.start().then(
    () => 'it started',
    (error: Error) => error.message,
  );
  const { code, err } = await runHalfdoor({ home: world.home, words: ['start', '--detach'] });
  assert.equal(code, 1);
  assert.match(err, /\.\/halfdoor doctor/);
  return `${itself}\n${err}`;
}

test('nothing is wrong with a home while its host runs, and after it ended', async (t) => {
  const world = await lived(t);
  const running = await examine({ home: world.home });
  assert.deepEqual([running.code, running.findings, running.err], [0, [], '']);
  assert.match(
    (await runHalfdoor({ home: world.home, words: ['doctor', '--all'] })).out,
    /ok: a host runs \(pid \d+\)/,
  );
  await world.end('SIGTERM');
  const before = readFileSync(central(world));
  const ended = await examine({ home: world.home, words: ['--fix'] });
  assert.deepEqual([ended.code, ended.findings], [0, []]);
  assert.deepEqual(readFileSync(central(world)), before);
});

test('a host that died: its pid file and its strays are told and tidied up, open work stays told', async (t) => {
  const world = await lived(t);
  const chat = world.chat('a');
  await chat.until((events) => events.find((it) => it.type === 'ready'));
  await world.send('a', '@sleep 600000');
  await chat.until((events) => events.find((it) => it.type === 'progress' && it.state === 'thinking'));
  chat.close();
  await world.end('SIGKILL');
  const stray = spawn('/bin/sh', ['-c', 'sleep 600 & wait', runLabel(homeAt(world.home).label, 'x')], {
    stdio: 'ignore',
  });
  const gone = once(stray, 'exit');
  const told = await examine({ home: world.home });
  assert.deepEqual([told.code, ids(told)], [1, ['pid-file-stale', 'strays', 'host-missing']]);
  assert.match(
    told.findings.map(({ what }) => what).join(' '),
    /died and left its pid file.*left \d process.*1 message waits/,
  );
  const mended = await examine({ home: world.home, words: ['--fix'] });
  assert.deepEqual([fixed(mended), mended.code], [['pid-file-stale', 'strays'], 1]);
  assert.deepEqual([existsSync(join(world.home, 'host.pid')), (await gone)[1]], [false, 'SIGKILL']);
  const again = await examine({ home: world.home });
  assert.deepEqual([ids(again), again.findings[0]?.next], [['host-missing'], './halfdoor start --detach']);
});

test('a host that holds the home and does not answer is named by its pid', async (t) => {
  const world = await lived(t);
  rmSync(world.socketPath);
  const { code, findings } = await examine({ home: world.home, words: ['--fix'] });
  assert.deepEqual([code, findings.length], [1, 1]);
  assert.match(findings[0]?.what ?? '', /holds the home \(pid \d+\) and does not answer/);
  assert.equal(findings[0]?.next, `kill ${world.pid} && ./halfdoor start --detach`);
});

for (const { name, breaks } of [
  { name: 'no database any more', breaks: (path: string) => overwrite(path, 0, 100) },
  { name: 'a page in its middle overwritten', breaks: (path: string) => overwrite(path, 4096, 4096) },
  { name: 'cut short', breaks: (path: string) => truncateSync(path, statSync(path).size - 4096) },
]) {
  test(`a damaged central database: ${name}`, async (t) => {
    const world = await lived(t);
    await world.end('SIGTERM');
    breaks(central(world));
    const { code, findings } = await examine({ home: world.home, words: ['--fix'] });
    const found = findings.find(({ id }) => id === 'database-damaged');
    assert.equal(code, 1);
    assert.match(found?.what ?? '', /central\.db is damaged \(.+\)\. Stop the host and put a backup in its place/);
    assert.match(found?.next ?? '', /^sqlite3 .*\.recover/);
    if (name === 'no database any more')
      assert.match(await startsWith(world), /could not start: a database is damaged/);
  });
}

function overwrite(path: string, at: number, bytes: number): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, Buffer.alloc(bytes, 0xa5), 0, bytes, at);
  closeSync(fd);
}

test('a central database of a newer Halfdoor: both versions are named, by the doctor and by a start', async (t) => {
  const world = await lived(t);
  await world.end('SIGTERM');
  change(central(world), "insert into kysely_migration (name, timestamp) values ('999-later', '2031-01-01')");
  const { code, findings } = await examine({ home: world.home });
  const newer = /made by a newer Halfdoor: it has schema 999-later, this one knows up to \d{3}-\w+/;
  assert.deepEqual([code, findings.map(({ id }) => id)], [1, ['database-newer']]);
  assert.match(findings[0]?.what ?? '', newer);
  assert.match(findings[0]?.next ?? '', /^git -C \S+ pull$/);
  assert.match(await startsWith(world), newer);
  assert.deepEqual(ids(await examine({ home: world.home })), ['database-newer']);
});

test('files that others may read are shut again', async (t) => {
  const world = await lived(t);
  const runDir = join(world.socketPath, '..');
  const open = [world.home, runDir, central(world)];
  for (const path of open) chmodSync(path, 0o755);
  const told = await examine({ home: world.home });
  assert.deepEqual([told.code, ids(told)], [1, ['home-open', `open:${central(world)}`, 'run-dir-open']]);
  const mended = await examine({ home: world.home, words: ['--fix'] });
  assert.deepEqual([mended.code, fixed(mended)], [0, ids(told)]);
  assert.deepEqual(
    open.map((path) => statSync(path).mode & 0o777),
    [0o700, 0o700, 0o600],
  );
  assert.deepEqual(ids(await examine({ home: world.home })), []);
});

test('a clock an hour behind what it wrote itself, with the host running and not', async (t) => {
  const world = await lived(t);
  change(central(world), `update events set received_at = '${new Date(Date.now() + HOUR_MS).toISOString()}'`);
  const running = await examine({ home: world.home });
  assert.deepEqual(ids(running), ['clock-behind']);
  assert.match(running.findings[0]?.what ?? '', /newest row of the central database is from .*, 60 minutes after/);
  await world.end('SIGTERM');
  assert.deepEqual(ids(await examine({ home: world.home })), ['clock-behind']);
});

test('a clock an hour off the one of a model endpoint', async (t) => {
  const server = createServer((request, answer) => {
    answer.setHeader('date', new Date(Date.now() + HOUR_MS).toUTCString());
    answer.end(request.method);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const world = await lived(t);
  const baseUrl = `http://127.0.0.1:${port}/v1`;
  await world.createAgent({ name: 'b', provider: 'direct', model: 'm', baseUrl, api: 'openai' });
  await world.end('SIGTERM');
  const { findings, notes } = await examine({ home: world.home });
  assert.match(
    notes.join(),
    /No model was asked, since no host runs: \.\/halfdoor start --detach && \.\/halfdoor doctor/,
  );
  assert.match(findings[0]?.what ?? '', new RegExp(`This clock is 60 minutes behind, if 127.0.0.1:${port} is right`));
  assert.match(findings[0]?.next ?? '', /^sudo (date -u -s|timedatectl)/);
});

test('a session whose folder is missing, and files that a newer Halfdoor made', async (t) => {
  const world = await lived(t);
  await world.createAgent({ name: 'b' });
  await world.reply('b', '@reply hi');
  const [gone, newer] = [await world.session('a'), await world.session('b')];
  await world.end('SIGTERM');
  rmSync(gone.folder, { recursive: true });
  change(join(newer.folder, 'in', 'inbound.db'), 'pragma user_version = 99');
  const { findings } = await examine({ home: world.home });
  const [missing, later] = ['session-missing', 'session-newer'].map((id) =>
    findings.find((it) => it.id.startsWith(id)),
  );
  assert.match(missing?.what ?? '', new RegExp(`agent a's session ${gone.id} is missing`));
  assert.equal(missing?.next, './halfdoor send a /new');
  assert.match(later?.what ?? '', /version 99, made by a newer Halfdoor; this one knows up to \d+/);
});

test('a template that was lost while the host runs', async (t) => {
  const world = await lived(t);
  truncateSync(join(world.home, 'templates', 'outbound-1.db'), 10);
  const { findings } = await examine({ home: world.home });
  assert.match(findings[0]?.what ?? '', /outbound-1\.db, from which new sessions are made, is missing or damaged/);
});

test('a home that belongs to another user: told by the doctor, and by a start', async () => {
  const { code, findings } = await examine({ home: '/usr', words: ['--fix'] });
  assert.deepEqual([code, findings.map(({ id }) => id)], [1, ['home-not-ours']]);
  assert.match(findings[0]?.what ?? '', /The home \/usr belongs to user root, and the host runs as /);
  assert.equal(findings[0]?.next, `sudo chown -R ${process.getuid?.()} /usr`);
  for (const words of [['start'], ['start', '--detach'], ['send', 'a', 'hi']]) {
    const { code: started, err } = await runHalfdoor({ home: '/usr', words });
    assert.equal(started, 1);
    assert.match(err, /the home \/usr belongs to another user \(uid 0\)\n[^]*\.\/halfdoor doctor\n$/);
  }
});
