// needs: root
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Failure } from '../failure.ts';
import { handOver, prepareAsRoot } from '../root.ts';
import { ensureServiceUser } from '../service-user.ts';

/** As root makes one: others may pass it, or not. */
function freshFolder(t: TestContext, mode: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'hd-root-'));
  chmodSync(folder, mode);
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const owner = (path: string): number[] => [statSync(path).uid, statSync(path).mode & 0o777];
const refused = (what: RegExp) => (error: unknown) =>
  error instanceof Failure && what.test(error.message) && error.next !== '';

test('a home that is new or empty becomes the user’s, and stays so', (t) => {
  const user = ensureServiceUser();
  const folder = freshFolder(t, 0o755);
  mkdirSync(join(folder, 'empty'), { mode: 0o755 });
  for (const home of [join(folder, 'new', 'home'), join(folder, 'empty')]) {
    handOver(home, user);
    writeFileSync(join(home, 'central.db'), '');
    handOver(home, user);
    assert.deepEqual(owner(home), [user.uid, 0o700]);
  }
});

test('a home that the user cannot reach is refused', (t) => {
  const folder = freshFolder(t, 0o700);
  assert.throws(() => handOver(join(folder, 'home'), ensureServiceUser()), refused(/cannot reach/));
});

test('a home with something in it, a file or a link is refused and left as it was', (t) => {
  const user = ensureServiceUser();
  const folder = freshFolder(t, 0o755);
  const full = join(folder, 'full');
  mkdirSync(full, { mode: 0o755 });
  writeFileSync(join(full, 'mine'), 'x');
  symlinkSync(full, join(folder, 'link'));
  assert.throws(() => handOver(full, user), refused(/not empty/));
  assert.throws(() => handOver(join(folder, 'link'), user), refused(/not a folder/));
  assert.throws(() => handOver(join(full, 'mine'), user), refused(/not a folder/));
  assert.deepEqual(owner(full), [0, 0o755]);
});

test('a checkout that the user cannot read is refused with a place to put it', (t) => {
  const folder = freshFolder(t, 0o700);
  writeFileSync(join(folder, 'main.ts'), '');
  const programs = { node: process.execPath, main: join(folder, 'main.ts'), bun: process.execPath, dist: folder };
  assert.throws(() => prepareAsRoot(join(folder, 'home'), folder, programs), refused(/cannot read/));
});
