/** ./halfdoor in a checkout of its own, with an npm that brings nothing from outside. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { bunPath, ROOT } from '../world/programs.ts';

type Ended = { code: number | null; out: string; err: string };

/** The checkout as git would clone it, without what was brought; a fake npm in PATH that notes each call. */
class Checkout {
  readonly folder: string;
  readonly root: string;
  readonly calls: string;
  readonly env: Record<string, string>;

  constructor(t: TestContext) {
    this.folder = realpathSync(mkdtempSync(join(tmpdir(), 'hd-launch-')));
    this.root = join(this.folder, 'a checkout');
    this.calls = join(this.folder, 'calls');
    for (const name of [
      'halfdoor',
      'package.json',
      'package-lock.json',
      'tsconfig.json',
      'protocol',
      'host',
      'cli',
      'runner',
    ]) {
      cpSync(join(ROOT, name), join(this.root, name), {
        recursive: true,
        filter: (it) => !/\/(node_modules|tests)$/.test(it),
      });
    }
    mkdirSync(join(this.root, 'runtime'));
    for (const name of ['package.json', 'package-lock.json'])
      cpSync(join(ROOT, 'runtime', name), join(this.root, 'runtime', name));
    const bin = join(this.folder, 'bin');
    mkdirSync(bin);
    writeFileSync(this.calls, '');
    writeFileSync(join(bin, 'npm'), this.#npm(), { mode: 0o755 });
    this.env = { PATH: `${bin}:/usr/bin:/bin`, HOME: this.folder };
    t.after(() => rmSync(this.folder, { recursive: true, force: true }));
  }

  /** Links to what this checkout of ours has. Bun is a wrapper, so that its installing brings nothing either. */
  #npm(): string {
    const [bun, pinned] = [bunPath(), join(ROOT, 'runtime', 'node_modules')];
    return `#!/bin/sh
echo "$PWD $*" >>'${this.calls}'
[ -z "$FAKE_NPM_FAULT" ] || { echo "npm error code $FAKE_NPM_FAULT" >&2; exit 1; }
[ -z "$FAKE_NPM_HANG" ] || { : >'${this.folder}/hanging'; exec sleep 600; }
rm -rf node_modules && mkdir node_modules
case $PWD in
  */runtime)
    for it in '${pinned}'/node-*; do ln -s "$it" node_modules/; done
    mkdir -p 'node_modules/@oven/${bun.split('/').at(-3)}/bin'
    cat >'node_modules/@oven/${bun.split('/').at(-3)}/bin/bun' <<'END'
#!/bin/sh
echo "bun $*" >>'${this.calls}'
if [ "$1" = install ]; then ln -sfn '${join(ROOT, 'runner', 'node_modules')}'/* runner/node_modules/ 2>/dev/null || mkdir -p runner/node_modules
else mkdir -p "$2" && echo made >"$2/runner.js"; fi
END
    chmod +x 'node_modules/@oven/${bun.split('/').at(-3)}/bin/bun' ;;
  *) for it in '${join(ROOT, 'node_modules')}'/*; do ln -s "$it" node_modules/; done ;;
esac
`;
  }

  start(words: readonly string[], env: Record<string, string> = {}, file = join(this.root, 'halfdoor')) {
    const child = spawn(file, words, {
      cwd: '/',
      env: { ...this.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let [out, err] = ['', ''];
    child.stdout.on('data', (part) => (out += String(part)));
    child.stderr.on('data', (part) => (err += String(part)));
    return { child, ended: new Promise<Ended>((resolve) => child.on('close', (code) => resolve({ code, out, err }))) };
  }

  run(words: readonly string[], env?: Record<string, string>, file?: string): Promise<Ended> {
    return this.start(words, env, file).ended;
  }

  /** How often npm and Bun were asked to do something, since the last time. */
  asked(): string[] {
    const lines = readFileSync(this.calls, 'utf8').trim().split('\n');
    writeFileSync(this.calls, '');
    return lines
      .filter((it) => it !== '')
      .map((it) => (it.startsWith('bun') ? it.split(' ').slice(0, 2).join(' ') : it.replace(this.root, '')));
  }
}

const ALL = ['/runtime ci', ' ci --omit=dev', 'bun install', 'bun runner/bundle.ts'];
const plain = (calls: readonly string[]): string[] =>
  calls.map((it) => it.replaceAll(/ --(ignore-scripts|no-audit|no-fund)/g, ''));

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

test('killed half-way: the next start goes on', async (t) => {
  const checkout = new Checkout(t);
  const { child, ended } = checkout.start(['--version'], { FAKE_NPM_HANG: '1' });
  while (!existsSync(join(checkout.folder, 'hanging'))) await new Promise((resolve) => setImmediate(resolve));
  process.kill(-(child.pid ?? 0), 'SIGKILL');
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
