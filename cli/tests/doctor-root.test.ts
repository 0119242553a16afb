// needs: root
/** As root: the home is looked at by a process of the host's user, and root's own hands follow no link of that user's. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { examine, fixed, ids, runHalfdoor } from '../../tests/world/doctor.ts';
import { ensureServiceUser, SERVICE_USER } from '../service-user.ts';

/** A home of the service user's, below a folder that everyone may pass; and a file that only root can read. */
function ownedHome(t: TestContext): { home: string; secret: string; uid: number } {
  const { uid, gid } = ensureServiceUser();
  const folder = mkdtempSync(join(tmpdir(), 'hd-doctor-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  const [home, secret] = [join(folder, 'home'), join(folder, 'secret')];
  mkdirSync(home, { mode: 0o700 });
  chownSync(home, uid, gid);
  writeFileSync(secret, 'a secret of root\n', { mode: 0o644 });
  chmodSync(folder, 0o755);
  chmodSync(secret, 0o640);
  return { home, secret, uid };
}

test('a home of the host’s user is fine; one of root’s is told, with the command that hands it over', async (t) => {
  const { home, uid } = ownedHome(t);
  assert.deepEqual(ids(await examine({ home })), []);
  chownSync(home, 0, 0);
  const { code, findings } = await examine({ home, words: ['--fix'] });
  assert.deepEqual([code, findings.map(({ id }) => id)], [1, ['home-not-ours']]);
  assert.match(findings[0]?.what ?? '', new RegExp(`belongs to user root, and the host runs as user ${SERVICE_USER}`));
  assert.equal(findings[0]?.next, `sudo chown -R ${uid} ${home}`);
  assert.equal(statSync(home).uid, 0);
});

test('links that the host’s user made lead root nowhere, not with --fix either', async (t) => {
  const { home, secret } = ownedHome(t);
  for (const name of ['central.db', 'host.log', 'host.pid', 'run', 'lock.db']) symlinkSync(secret, join(home, name));
  const told = await examine({ home, words: ['--fix'] });
  assert.equal(told.code, 1);
  assert.deepEqual([fixed(told), statSync(secret).mode & 0o777], [[], 0o640]);
  assert.equal(readFileSync(secret, 'utf8'), 'a secret of root\n');
  assert.ok(!JSON.stringify(told).includes('a secret of root'));
  const { code, out, err } = await runHalfdoor({ home, words: ['logs'] });
  assert.deepEqual([code, out], [1, '']);
  assert.match(err, /cannot be read \(ELOOP\)/);
});

test('logs as root: a file of the host’s user only', async (t) => {
  const { home, uid } = ownedHome(t);
  const log = join(home, 'host.log');
  writeFileSync(log, 'of root\n');
  assert.match((await runHalfdoor({ home, words: ['logs'] })).err, /is not a log that a host wrote/);
  chownSync(log, uid, uid);
  assert.equal((await runHalfdoor({ home, words: ['logs'] })).out, 'of root\n');
});

test('with --fix and --yes root has installed what lacks, and it is seen to work', async (t) => {
  const { home } = ownedHome(t);
  const folder = join(home, '..');
  const [real, bin] = [join(folder, 'real'), join(folder, 'bin')];
  for (const path of [real, bin]) mkdirSync(path);
  writeFileSync(join(bin, 'apt-get'), `#!/bin/sh\ncp ${real}/bwrap ${real}/tini /usr/bin/\n`, { mode: 0o755 });
  const kept = ['sh', 'env', 'cp', 'true', 'cksum', 'prlimit', 'setpriv', 'timedatectl', 'node'].map(
    (it) => `/usr/bin/${it}`,
  );
  const binds = kept.filter((it) => existsSync(it)).flatMap((it) => ['--ro-bind', it, it]);
  const machine = [
    '/usr/bin/bwrap',
    '--dev-bind',
    '/',
    '/',
    '--ro-bind',
    '/usr/bin',
    real,
    '--tmpfs',
    '/usr/bin',
    ...binds,
  ];
  const env = { PATH: `${bin}:/usr/bin:/bin` };
  const asked = { home, env, before: machine };
  const told = await examine({ ...asked, words: ['--fix'] });
  assert.deepEqual([told.code, ids(told)], [1, ['sandbox-tools-missing']]);
  assert.equal(told.findings[0]?.next, 'apt-get install bubblewrap tini');
  const mended = await examine({ ...asked, words: ['--fix', '--yes'] });
  assert.deepEqual([mended.code, mended.findings.map((it) => it.fixed)], [0, ['installed bubblewrap and tini']]);
});
