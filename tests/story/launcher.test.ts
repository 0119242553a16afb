/** ./halfdoor in a checkout of its own, with an npm that brings nothing from outside. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Checkout } from '../world/checkout.ts';
import { killGroup } from '../world/kill.ts';

const ALL = ['/runtime ci', ' ci --omit=dev', 'bun install', 'bun runner/bundle.ts'];
const plain = (calls: readonly string[]): string[] =>
  calls.map((it) =>
    it.replaceAll(/ --(ignore-scripts|no-audit|no-fund|no-update-notifier|fetch-[a-z-]+=\d+|loglevel=http)/g, ''),
  );

test('the first start brings everything and says so; the second does nothing and says nothing', async (t) => {
  const checkout = new Checkout(t);
  const first = await checkout.run(['--version']);
  assert.deepEqual([first.code, first.out], [0, '0.1.0\n'], first.err);
  assert.match(first.err, /^Bringing Node[^\n]* … \d+ s\n(Bringing [^\n]* … \d+ s\n){2}Bundling [^\n]* … \d+ s\n$/);
  assert.deepEqual(plain(checkout.asked()), ALL);
  assert.deepEqual(await checkout.run(['--version']), { code: 0, out: '0.1.0\n', err: '' });
  assert.deepEqual(checkout.asked(), []);
});

test('through links, from any folder, with nothing but system programs in PATH', async (t) => {
  const checkout = new Checkout(t);
  await checkout.run(['--version']);
  symlinkSync(join(checkout.root, 'halfdoor'), join(checkout.folder, 'one'));
  symlinkSync('one', join(checkout.folder, 'two'));
  const { code, out } = await checkout.run(['--version'], { PATH: '/usr/bin:/bin' }, join(checkout.folder, 'two'));
  assert.deepEqual([code, out], [0, '0.1.0\n']);
});

test('only what changed is done again, and old bundles go', async (t) => {
  const checkout = new Checkout(t);
  await checkout.run(['--version']);
  checkout.asked();
  writeFileSync(join(checkout.root, 'runner', 'main.ts'), '// changed\n');
  await checkout.run(['--version']);
  assert.deepEqual(checkout.asked(), ['bun runner/bundle.ts']);
  assert.equal(readdirSync(join(checkout.root, 'runtime', 'dist')).length, 1);
  rmSync(join(checkout.root, 'node_modules'), { recursive: true });
  await checkout.run(['--version']);
  assert.deepEqual(plain(checkout.asked()), [' ci --omit=dev']);
});

test('two at once do not do it twice', async (t) => {
  const checkout = new Checkout(t);
  const both = await Promise.all([checkout.run(['--version']), checkout.run(['--version'])]);
  assert.deepEqual(
    both.map(({ code, out }) => [code, out]),
    [
      [0, '0.1.0\n'],
      [0, '0.1.0\n'],
    ],
  );
  assert.deepEqual(plain(checkout.asked()), ALL);
  assert.deepEqual(readdirSync(join(checkout.root, 'runtime', 'lock')), []);
});

test('npm is content and has brought nothing: its parts are optional to it, not to us', async (t) => {
  const checkout = new Checkout(t);
  const { code, out, err } = await checkout.run(['--version'], { FAKE_NPM_NOTHING: 'ECONNREFUSED' });
  assert.deepEqual([code, out], [1, '']);
  assert.match(err, /failed\nnpm brought no Bun for this machine\n[^]*npm was not reached/);
  assert.equal((await checkout.run(['--version'])).code, 0);
});

test('killed half-way: the next start goes on', async (t) => {
  const checkout = new Checkout(t);
  const { child, ended } = checkout.start(['--version'], { FAKE_NPM_HANG: '1' });
  while (!existsSync(join(checkout.folder, 'hanging'))) await new Promise((resolve) => setImmediate(resolve));
  killGroup(child.pid, 'SIGKILL');
  await ended;
  assert.notDeepEqual(readdirSync(join(checkout.root, 'runtime', 'lock')), []);
  const next = await checkout.run(['--version']);
  assert.deepEqual([next.code, next.out], [0, '0.1.0\n'], next.err);
  assert.deepEqual(readdirSync(join(checkout.root, 'runtime', 'lock')), []);
});

for (const [fault, next] of [
  ['ENOTFOUND', /npm was not reached/],
  ['ENOSPC', /disk is full/],
  ['EACCES', /belongs to another user/],
] as const) {
  test(`npm fails with ${fault}: its words and the next step`, async (t) => {
    const checkout = new Checkout(t);
    const { code, out, err } = await checkout.run(['--version'], { FAKE_NPM_FAULT: fault });
    assert.deepEqual([code, out], [1, '']);
    assert.match(err, new RegExp(`npm error code ${fault}`));
    assert.match(err, next);
    assert.equal((await checkout.run(['--version'])).code, 0);
  });
}

const MACHINES = [
  ['of musl', 'ldd', 'echo "musl libc (x86_64)" >&2; exit 1', /built on musl[^]*Debian/],
  ['without AVX2', 'grep', 'case "$*" in *avx2*) exit 1;; esac; exec /usr/bin/grep "$@"', /no AVX2[^]*cpu: host/],
] as const;

for (const [what, program, script, says] of MACHINES) {
  if (what === 'without AVX2' && process.arch !== 'x64') continue;
  test(`a machine ${what} is told so before anything is brought`, async (t) => {
    const checkout = new Checkout(t);
    writeFileSync(join(checkout.folder, 'bin', program), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const { code, err } = await checkout.run(['--version']);
    assert.equal(code, 1);
    assert.match(err, says);
    assert.deepEqual(checkout.asked(), []);
  });
}

test('a checkout that is ready and not writable works; one that is not ready says whose turn it is', async (t) => {
  const checkout = new Checkout(t);
  await checkout.run(['--version']);
  const folders = [checkout.root, join(checkout.root, 'runtime'), join(checkout.root, 'runtime', 'lock')];
  for (const folder of folders) chmodSync(folder, 0o555);
  const [ready, notReady] = [await checkout.run(['--version']), await checkout.run(['test'])];
  for (const folder of folders) chmodSync(folder, 0o755);
  assert.deepEqual([ready.code, notReady.code], [0, 1]);
  assert.match(notReady.err, /not writable for you\nRun .* as its owner/);
});

test('without npm it says what to install', async (t) => {
  const checkout = new Checkout(t);
  const bin = join(checkout.folder, 'few');
  mkdirSync(bin);
  for (const name of ['uname', 'find', 'sort', 'xargs', 'cksum', 'tr', 'ls', 'id', 'readlink', 'sh'])
    symlinkSync(join('/usr/bin', name), join(bin, name));
  const { code, err } = await checkout.run(['--version'], { PATH: bin });
  assert.equal(code, 1);
  assert.match(err, /npm is missing\nInstall Node/);
});
