import assert from 'node:assert/strict';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { makeDurable } from '@halfdoor/protocol/durable';
import { LIMITS } from '@halfdoor/protocol/limits';
import { runCli, startCli } from '../../cli/tests/run-cli.ts';
import { rotating } from '../../host/log-file.ts';
import { bunPath, distPath } from '../world/programs.ts';

function freshFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'hd-log-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function openLog(t: TestContext, path: string, named = path): (line: string) => void {
  const fd = openSync(path, 'a');
  t.after(() => closeSync(fd));
  return rotating({ fd, path: named, bytes: 1000, files: 3, write: (line) => writeSync(fd, line) }, makeDurable());
}

test('a full log is rotated while it is written; no line is lost, and the oldest file goes', (t) => {
  const path = join(freshFolder(t), 'host.log');
  const write = openLog(t, path);
  const lines = Array.from({ length: 35 }, (_, n) => `${String(n).padStart(99, '0')}\n`);
  for (const line of lines.slice(0, 25)) write(line);
  const all = () => ['.2', '.1', ''].map((end) => readFileSync(`${path}${end}`, 'utf8')).join('');
  assert.equal(all(), lines.slice(0, 25).join(''));
  for (const line of lines.slice(25)) write(line);
  assert.deepEqual(readdirSync(join(path, '..')).toSorted(), ['host.log', 'host.log.1', 'host.log.2']);
  assert.equal(all(), lines.slice(10).join(''));
});

test('what is not the log is never touched', (t) => {
  const folder = freshFolder(t);
  const mine = join(folder, 'mine');
  writeFileSync(mine, 'x'.repeat(2000));
  writeFileSync(join(folder, 'host.log'), 'y');
  openLog(t, mine, join(folder, 'host.log'))('z');
  assert.equal(statSync(mine).size, 2001);
  assert.deepEqual(readdirSync(folder).toSorted(), ['host.log', 'mine']);
});

test('a host that is started onto a full log begins a new one', async (t) => {
  const home = freshFolder(t);
  const log = join(home, 'host.log');
  writeFileSync(log, 'the beginning\n');
  truncateSync(log, LIMITS.logBytes);
  const env = { HALFDOOR_BUN: bunPath(), HALFDOOR_DIST: distPath(), XDG_RUNTIME_DIR: home };
  const { child, ended } = startCli(home, ['start', '--detach'], env);
  child.stdin.end();
  const started = await ended;
  const [older, newer] = [statSync(`${log}.1`, { throwIfNoEntry: false }), readFileSync(log, 'utf8')];
  await runCli(home, ['stop']);
  assert.equal(started.code, 0, started.err);
  assert.equal(older?.size, LIMITS.logBytes);
  assert.match(newer, /^ready$/m);
});
