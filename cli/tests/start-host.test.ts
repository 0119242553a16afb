import assert from 'node:assert/strict';
import {
  closeSync,
  cpSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { hostEnv } from '../host-process.ts';
import { collect, freshFolder } from './run-cli.ts';
import { spawn } from 'node:child_process';

const CHECKOUT = join(import.meta.dirname, '..', '..');

/** A checkout whose host/main.ts is the fake. */
function fakeCheckout(t: TestContext): string {
  const root = realpathSync(freshFolder(t));
  for (const name of ['cli', 'protocol', 'package.json']) {
    cpSync(join(CHECKOUT, name), join(root, name), { recursive: true, filter: (it) => !it.includes('/tests') });
  }
  cpSync(join(CHECKOUT, 'tests', 'fakes'), join(root, 'tests', 'fakes'), { recursive: true });
  mkdirSync(join(root, 'host'));
  cpSync(join(CHECKOUT, 'host', 'home.ts'), join(root, 'host', 'home.ts'));
  writeFileSync(join(root, 'host', 'main.ts'), "await import('../tests/fakes/api-host-main.ts');\n");
  symlinkSync(join(CHECKOUT, 'node_modules'), join(root, 'node_modules'));
  return root;
}

function cli(t: TestContext, root: string, home: string, words: string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [join(root, 'cli', 'main.ts'), ...words], {
    env: {
      PATH: process.env.PATH,
      HOME: home,
      HALFDOOR_HOME: home,
      HALFDOOR_BUN: process.execPath,
      HALFDOOR_DIST: root,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => child.kill());
  return collect(child);
}

test('send starts a host that stays, without a descriptor of ours; stop ends it', async (t) => {
  const [root, home] = [fakeCheckout(t), freshFolder(t)];
  const sent = await cli(t, root, home, ['send', 'a', '@reply up', '--wait'], {
    SECRET_OF_MINE: '1',
    OPENAI_API_KEY: 'k',
  });
  assert.deepEqual([sent.code, sent.out], [0, 'up\n'], sent.err);
  const pid = Number(readFileSync(join(home, 'host.pid'), 'utf8'));
  const env = readFileSync(`/proc/${pid}/environ`, 'utf8');
  assert.ok(env.includes('OPENAI_API_KEY=k') && !env.includes('SECRET_OF_MINE'));
  assert.ok(!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('OPENAI'));
  assert.equal(readlinkSync(`/proc/${pid}/cwd`), '/');
  assert.equal(readFileSync(join(home, 'host.log'), 'utf8'), 'ready\n');
  const again = await cli(t, root, home, ['start', '--detach', '--json']);
  assert.deepEqual(JSON.parse(again.out), { started: false, pid, home });
  assert.match((await cli(t, root, home, ['start'])).err, /already runs/);
  const stopped = await cli(t, root, home, ['stop', '--json']);
  assert.deepEqual([stopped.code, JSON.parse(stopped.out)], [0, { stopped: true, pid }]);
  assert.equal((await cli(t, root, home, ['status'])).code, 3);
});

test('five at once end with one host that answers all', async (t) => {
  const [root, home] = [fakeCheckout(t), freshFolder(t)];
  const all = await Promise.all(
    ['1', '2', '3', '4', '5'].map((n) => cli(t, root, home, ['send', 'a', `@reply ${n}`, '--wait'])),
  );
  assert.deepEqual(
    all.map(({ out, code, err }) => [code, out, err]),
    ['1', '2', '3', '4', '5'].map((n) => [0, `${n}\n`, '']),
  );
  assert.equal((await cli(t, root, home, ['stop'])).code, 0);
});

test('a host that cannot start: its own words and where the log is', async (t) => {
  const [root, home] = [fakeCheckout(t), freshFolder(t)];
  writeFileSync(join(home, 'host.log'), 'of an earlier day\n');
  const { code, err } = await cli(t, root, home, ['send', 'a', 'hi'], {
    HALFDOOR_FAKE_FAULT: 'the disk is full of eels',
  });
  assert.equal(code, 1);
  assert.match(err, /did not start; it said:\nthe disk is full of eels\nMend what it names/);
  assert.doesNotMatch(err, /earlier day/);
});

test("root's own HOME and XDG_RUNTIME_DIR do not come along", () => {
  const mine = { HOME: '/root', XDG_RUNTIME_DIR: '/run/user/0', LANG: 'C', OTHER: 'x', HALFDOOR_BUN: 'b' };
  const env = hostEnv(mine, '/h', 0);
  assert.deepEqual(env, {
    HOME: '/var/lib/halfdoor',
    LANG: 'C',
    HALFDOOR_BUN: 'b',
    HALFDOOR_HOME: '/h',
    NODE_COMPILE_CACHE: '/h/cache/node',
  });
  assert.equal(hostEnv(mine, '/h', 1000).XDG_RUNTIME_DIR, '/run/user/0');
});

test('descriptors of our caller are closed, ours are not', async (t) => {
  const folder = freshFolder(t);
  const script = `import { closeInherited } from ${JSON.stringify(join(CHECKOUT, 'cli', 'host-process.ts'))};
    import { readdirSync, readlinkSync } from 'node:fs';
    const link = (fd) => { try { return readlinkSync('/proc/self/fd/' + fd); } catch { return ''; } };
    const open = () => readdirSync('/proc/self/fd').map(link).filter((it) => it === process.argv[1]).length;
    const before = open();
    closeInherited();
    console.log(before, open());`;
  const fd = openSync(folder, 'r');
  t.after(() => closeSync(fd));
  const stdio = Array.from({ length: 18 }, (_, n) => (n === 1 || n === 2 ? 'pipe' : n === 17 ? fd : 'ignore')) as (
    | 'pipe'
    | number
  )[];
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script, folder], { stdio });
  assert.equal((await collect(child)).out, '1 0\n');
});
