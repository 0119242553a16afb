import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Random } from '../sim/random.ts';
import { Disk, type Left } from './disk.ts';
import { readTrace } from './trace.ts';

const hex = (text: string): string =>
  [...Buffer.from(text)].map((it) => `\\x${it.toString(16).padStart(2, '0')}`).join('');

/** A folder that holds `old`, long on the disk; `cut` gives what is in `name` after a power cut. */
function stage(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'hd-disk-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [base, root] = [join(folder, 'base'), join(folder, 'root')];
  for (const dir of [base, root]) mkdirSync(dir);
  writeFileSync(join(base, 'old'), 'old');
  const at = (name: string): string => hex(join(root, name));
  const cut = (lines: readonly string[], left: Left, name: string): string | null => {
    const disk = new Disk(base, root);
    for (const op of readTrace(lines.map((line) => `7  1.5 ${line}`).join('\n'))) disk.take(op);
    disk.cut(left, new Random(1), root);
    return existsSync(join(root, name)) ? readFileSync(join(root, name), 'utf8') : null;
  };
  return { at, cut, root: hex(root) };
}

test('what was written is there after its sync, and may be gone before', (t) => {
  const { at, cut } = stage(t);
  const write = `pwrite64(3<${at('old')}>, "${hex('new')}", 3, 3) = 3`;
  assert.equal(cut([write], 'nothing', 'old'), 'old');
  assert.equal(cut([write], 'everything', 'old'), 'oldnew');
  assert.equal(cut([write, `fdatasync(3<${at('old')}>) = 0`], 'nothing', 'old'), 'oldnew');
});

test('a call that was interrupted by another process counts when it has ended', (t) => {
  const { at, cut } = stage(t);
  const begun = [`pwrite64(3<${at('old')}>, "${hex('X')}", 1, 0) = 1`, `fsync(3<${at('old')}> <unfinished ...>`];
  assert.equal(cut(begun, 'nothing', 'old'), 'old');
  assert.equal(cut([...begun, '<... fsync resumed>) = 0'], 'nothing', 'old'), 'Xld');
});

test('a new file has its name when its folder was synced, and one that was taken away until then', (t) => {
  const { at, cut, root } = stage(t);
  const make = [
    `openat(AT_FDCWD<${root}>, "${at('new')}", O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0600) = 3<${at('new')}>`,
    `write(3<${at('new')}>, "${hex('it')}", 2) = 2`,
    `fsync(3<${at('new')}>) = 0`,
  ];
  assert.equal(cut(make, 'nothing', 'new'), null);
  assert.equal(cut([...make, `fsync(4<${root}>) = 0`], 'nothing', 'new'), 'it');
  const remove = `unlink("${at('old')}") = 0`;
  assert.equal(cut([remove], 'nothing', 'old'), 'old');
  assert.equal(cut([remove, `fsync(4<${root}>) = 0`], 'nothing', 'old'), null);
});
