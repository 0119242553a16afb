// needs: userns
/** The doctor on machines that are not as they should be: namespaces of their own, made by an ordinary user. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { examine, runHalfdoor } from '../world/doctor.ts';

const MACHINE = ['/usr/bin/bwrap', '--unshare-user', '--dev-bind', '/', '/'];

function freshFolder(t: TestContext): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'hd-machine-')));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('no user namespaces: what forbids them, and the command that allows them', async (t) => {
  const shut = 'echo 0 >/proc/sys/user/max_user_namespaces && exec setpriv --inh-caps=-all --ambient-caps=-all -- "$@"';
  const before = ['unshare', '--user', '--map-current-user', '--keep-caps', '/bin/sh', '-c', shut, 'sh'];
  const { code, findings } = await examine({ home: join(freshFolder(t), 'home'), before });
  assert.deepEqual([code, findings.map(({ id }) => id)], [1, ['sandbox-bubblewrap']]);
  assert.match(findings[0]?.what ?? '', /cannot run here: no user namespace may be made \(bwrap: /);
  assert.equal(findings[0]?.next, 'sudo sysctl -w user.max_user_namespaces=15000');
});

test('bubblewrap missing: said once, with the package to install', async (t) => {
  const kept = ['sh', 'env', 'cksum', 'prlimit', 'setpriv', 'timedatectl', 'node'].map((it) => `/usr/bin/${it}`);
  const binds = kept.filter((it) => existsSync(it)).flatMap((it) => ['--ro-bind', it, it]);
  const before = [...MACHINE, '--tmpfs', '/usr/bin', ...binds];
  const { code, findings } = await examine({ home: join(freshFolder(t), 'home'), before, words: ['--fix', '--yes'] });
  assert.deepEqual([code, findings.map(({ id }) => id)], [1, ['sandbox-tools-missing']]);
  assert.match(findings[0]?.what ?? '', /^Not installed: bubblewrap and tini\./);
  assert.equal(findings[0]?.next, 'sudo apt-get install bubblewrap tini');
});

test('a bubblewrap that is too old', async (t) => {
  const folder = freshFolder(t);
  const old = join(folder, 'bwrap');
  writeFileSync(old, '#!/bin/sh\necho "bwrap: Unknown option --disable-userns" >&2\nexit 1\n', { mode: 0o755 });
  const before = [...MACHINE, '--ro-bind', old, '/usr/bin/bwrap'];
  const { findings } = await examine({ home: join(folder, 'home'), before });
  assert.match(findings[0]?.what ?? '', /this bubblewrap is too old, it must be 0\.8 or newer/);
  assert.equal(findings[0]?.next, 'sudo apt-get install --only-upgrade bubblewrap');
});

const MIB = 1024 * 1024;
/** A disk of its own under the home. */
const diskOf = (bytes: number, home: string): string[] => [...MACHINE, '--size', String(bytes), '--tmpfs', home];

test('a disk that is full: how much is left, and where', async (t) => {
  const home = join(freshFolder(t), 'home');
  mkdirSync(home);
  const shut = [...diskOf(50 * MIB, home), '/bin/sh', '-c', 'chmod 700 "$HALFDOOR_HOME"; exec "$@"', 'sh'];
  const { code, findings } = await examine({ home, before: shut });
  assert.equal(code, 1);
  const found = findings.find(({ id }) => id === `disk:${home}`);
  assert.match(found?.what ?? '', /^The disk is full: (50|49) MiB free at /);
  assert.match(found?.next ?? '', /^df -h /);
  assert.equal(found?.severity, 'broken');
});

test('a host does not start on a full disk, and says so', async (t) => {
  const home = join(freshFolder(t), 'home');
  mkdirSync(home);
  for (const words of [['start'], ['start', '--detach']]) {
    const { code, err } = await runHalfdoor({ home, before: diskOf(MIB / 2, home), words });
    assert.equal(code, 1);
    assert.match(err, /the disk is full at [^]*\nMake room\. Look: \.\/halfdoor doctor\n$/);
  }
  const { code, err } = await runHalfdoor({ home, before: diskOf(MIB / 16, home), main: 'host/main.ts' });
  assert.equal(code, 1);
  assert.match(err, /could not start: the disk is full at .*\nMake room; where: \.\/halfdoor doctor/);
});

test('what holds a sandbox to its limits here is said when asked for everything', async (t) => {
  const { out } = await runHalfdoor({ home: join(freshFolder(t), 'home'), words: ['doctor', '--all'] });
  const said = out.replaceAll(/\s+/g, ' ');
  assert.match(
    said,
    /ok: a sandbox is held by a watchdog to 1\.0 GiB of memory.*on the disk; by the kernel to 256 processes/,
  );
  assert.match(said, /kind process\) none of it holds/);
});
