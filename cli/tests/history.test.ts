import assert from 'node:assert/strict';
import { linkSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { historyPath, openHistory } from '../chat/history.ts';
import { freshFolder } from './run-cli.ts';

const uid = process.getuid?.() ?? 0;

test('history: where it lies', () => {
  assert.equal(historyPath({ XDG_STATE_HOME: '/s', HOME: '/h' }), '/s/halfdoor/history');
  assert.equal(historyPath({ XDG_STATE_HOME: 'relative', HOME: '/h' }), '/h/.local/state/halfdoor/history');
  assert.equal(historyPath({}), null);
});

test('history: outlives the process, one entry a line, for nobody else to read', (t) => {
  const path = join(freshFolder(t), 'state', 'halfdoor', 'history');
  const entries = ['one', 'two\nlines', 'a \\ and \\n', 'ü 漢'];
  const history = openHistory(path, uid);
  for (const entry of [...entries, 'ü 漢', ' ', '']) history.add(entry);
  assert.deepEqual(openHistory(path, uid).lines, entries);
  assert.equal(readFileSync(path, 'utf8').split('\n').length, entries.length + 1);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(statSync(dirname(path)).mode & 0o777, 0o700);
});

test('history: the newest 500', (t) => {
  const path = join(freshFolder(t), 'halfdoor', 'history');
  const history = openHistory(path, uid);
  for (let n = 0; n < 510; n++) history.add(`n${n}`);
  for (const lines of [history.lines, openHistory(path, uid).lines]) {
    assert.deepEqual([lines.length, lines[0], lines.at(-1)], [500, 'n10', 'n509']);
  }
  assert.equal(readFileSync(path, 'utf8').split('\n').length, 501);
});

test('history: a link, a second name, a folder or the place of another user is left alone, and nothing fails', (t) => {
  const folder = freshFolder(t);
  const victim = join(folder, 'victim');
  writeFileSync(victim, 'precious\n');
  const places: [name: string, make: (path: string) => void, as: number][] = [
    ['link', (path) => symlinkSync(victim, path), uid],
    ['second-name', (path) => linkSync(victim, path), uid],
    ['folder', (path) => mkdirSync(path), uid],
    ['of-another', () => {}, uid + 1],
  ];
  for (const [name, make, as] of places) {
    const path = join(folder, name, 'history');
    mkdirSync(dirname(path));
    make(path);
    const history = openHistory(path, as);
    history.add('mine');
    assert.deepEqual(history.lines, ['mine'], name);
    assert.equal(
      statSync(path, { throwIfNoEntry: false })?.isFile() ?? false,
      name !== 'folder' && name !== 'of-another',
    );
  }
  assert.equal(readFileSync(victim, 'utf8'), 'precious\n');
  const full = openHistory('/dev/full/history', uid);
  full.add('mine');
  assert.deepEqual(full.lines, ['mine']);
});
