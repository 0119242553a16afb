// needs: docker
/** The image, built for real: what is in it, what it is called, and what becomes of it when the checkout changes. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { docker, TEST_BASE } from '../world/engine.ts';
import { Site } from '../world/image-site.ts';

const inside = (image: string, ...command: string[]): string =>
  docker('run', '--rm', '--network', 'none', '--read-only', '--user', '4321:4321', image, ...command);

test('built, looked into, outdated by the checkout, built again, pruned', { timeout: 600_000 }, async (t) => {
  const site = new Site(t);
  const { needed, images } = await site.list();
  assert.deepEqual(
    images.filter(({ names }) => names.includes(needed)),
    [],
  );

  const built = await site.build('--json');
  assert.equal(built.code, 0, built.err);
  const made = JSON.parse(built.out) as { name: string; with: string[]; bytes: number };
  assert.deepEqual([made.name, made.with], [needed, []]);
  assert.ok(made.bytes < 350_000_000, `${made.bytes} bytes`);
  assert.equal((await site.list()).images.find(({ state }) => state === 'used')?.misfit, null);

  // Whoever it is started as: tini is process 1, the home can be passed, nothing changes who somebody is.
  assert.match(inside(needed, 'cat', '/proc/1/comm'), /^tini$/m);
  assert.match(inside(needed, 'stat', '-c', '%a %U', '/home/agent'), /^755 agent$/m);
  assert.equal(inside(needed, 'sh', '-c', 'find / -xdev -type f -perm /6000 2>/dev/null; true'), '');
  const settings = readFileSync(site.path('image/build.env'), 'utf8');
  const pinned = /^BUN_VERSION=(.*)$/m.exec(settings)?.[1] ?? 'none';
  assert.equal(inside(needed, 'bun', '--version').trim(), pinned);
  const environment = inside(needed, 'env');
  for (const it of ['PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1', 'PUPPETEER_SKIP_DOWNLOAD=1'])
    assert.ok(environment.split('\n').includes(it), it);
  // A secret of the build is neither in what was built nor in how. (The entry point is found, so the search works.)
  const holding = (text: string): string =>
    docker(
      ...['run', '--rm', '--network', 'none', '--user', '0', needed, 'sh', '-c'],
      `grep -rIl -D skip '${text}' / --exclude-dir=proc --exclude-dir=sys; true`,
    );
  assert.equal(holding('This image holds no agent').trim(), '/usr/lib/halfdoor/entrypoint.sh');
  assert.equal(holding(site.secret), '');
  assert.doesNotMatch(docker('history', '--no-trunc', needed), new RegExp(site.secret));
  // Without tini in front, as with an entry point given by hand, it puts it there itself.
  const bare = ['run', '--rm', '--network', 'none', '--entrypoint', '/usr/lib/halfdoor/entrypoint.sh', needed];
  assert.match(docker(...bare, 'cat', '/proc/1/comm'), /^tini$/m);

  // The same sources again are the same image; others are another one, and the old one is not taken for it.
  const again = JSON.parse((await site.build('--json')).out) as { name: string };
  assert.equal(again.name, needed);
  appendFileSync(site.path('runner/bun.lock'), '\n');
  const after = await site.list();
  assert.notEqual(after.needed, needed);
  assert.deepEqual(
    after.images.filter(({ state }) => state !== 'foreign').map(({ names, state }) => [names, state]),
    [[[needed], 'old']],
  );
  assert.match((await site.run(['image', 'list'])).out, new RegExp(`need ${after.needed}, which is not there`));
  // Whoever calls the old one by the new name is told: it says itself for which runner it is.
  docker('tag', needed, after.needed);
  assert.match((await site.list()).images[0]?.misfit ?? '', /was built for another runner/);
  docker('image', 'rm', after.needed);

  const rebuilt = await site.build();
  assert.equal(rebuilt.code, 0, rebuilt.err);
  assert.match(rebuilt.err, /1 from before can go: \.\/halfdoor image prune/);

  // A container that was left behind keeps its image, and that is said; then it goes.
  const container = docker('create', '--network', 'none', needed, 'true').trim();
  const kept = await site.run(['image', 'prune', '--yes', '--json']);
  assert.match(kept.out, /"removed":\[\],"kept":\[\{[^}]*conflict/, kept.out);
  docker('rm', container);
  const pruned = await site.run(['image', 'prune', '--yes', '--json']);
  assert.deepEqual(JSON.parse(pruned.out), { removed: [needed], kept: [] });
  assert.deepEqual(
    (await site.list()).images.filter(({ state }) => state !== 'foreign').map(({ names, state }) => [names, state]),
    [[[after.needed], 'used']],
  );
});

test('what the build is told wrong ends it with the sentence of its own script', { timeout: 600_000 }, async (t) => {
  const site = new Site(t);
  const by = (...more: string[]): string => {
    const argv = ['build', '--file', 'image/Dockerfile', '--build-arg', `BASE_IMAGE=${TEST_BASE}`, '--network', 'host'];
    const { status, stderr } = spawnSync('/usr/bin/docker', [...argv, ...more, '.'], {
      cwd: site.checkout.root,
      env: { ...process.env, DOCKER_BUILDKIT: '1' },
      encoding: 'utf8',
    });
    assert.notEqual(status, 0);
    return stderr;
  };
  const hash = /RUNNER_LOCK=([0-9a-f]{12})/;
  // By hand and without the label there is no image, but the word that was missing.
  const [, lock = ''] = hash.exec(by('--target', 'asked')) ?? [];
  assert.match(by('--target', 'asked', '--build-arg', 'RUNNER_LOCK=0123456789ab'), hash);
  assert.match(by('--build-arg', `RUNNER_LOCK=${lock}`, '--build-arg', 'WITH=frob'), /WITH names frob; known: claude/);
  const nonesuch = await site.run(['image', 'build', '--base', `${TEST_BASE}-nonesuch`]);
  assert.equal(nonesuch.code, 1);
  assert.match(nonesuch.err, /--base/);
  const settings = site.path('image/build.env');
  writeFileSync(settings, readFileSync(settings, 'utf8').replace(/^BUN_VERSION=.*$/m, 'BUN_VERSION=1.0.0'));
  const other = await site.build();
  assert.equal(other.code, 1);
  assert.match(other.err, /bun-linux-\w+ 1\.0\.0 is not the version of runtime\/package-lock\.json/);
});
