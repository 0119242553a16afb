/** `image …` with a program in docker's place that notes how it was called, and without any. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { neededImage } from '../../host/image/needed.ts';
import { ROOT } from '../../tests/world/programs.ts';
import { freshFolder, startCli, type Ended } from './run-cli.ts';

const root = ROOT.replace(/\/$/, '');
const needed = neededImage(root);

type Stage = { run(words: readonly string[], env?: NodeJS.ProcessEnv): Promise<Ended>; calls(): string[][] };

/** `answers`: a shell script's cases over the first two words. */
function withDocker(t: TestContext, answers: string): Stage {
  const folder = freshFolder(t);
  const [program, calls] = [join(folder, 'docker'), join(folder, 'calls')];
  const note = `for it; do printf '%s\\037' "$it"; done >>'${calls}'; echo >>'${calls}'`;
  writeFileSync(program, `#!/bin/sh\n${note}\ncase "$1 $2" in\n${answers}\nesac\n`, { mode: 0o755 });
  return {
    run: (words, env = {}) => {
      const { child, ended } = startCli(folder, words, { HALFDOOR_DOCKER: program, ...env });
      child.stdin.end();
      return ended;
    },
    calls: () =>
      existsSync(calls)
        ? readFileSync(calls, 'utf8')
            .trim()
            .split('\n')
            .map((line) => line.split('\u001f').filter(Boolean))
        : [],
  };
}

const image = (id: string, names: string[], labels: Record<string, string>): object => ({
  Id: id,
  RepoTags: names,
  Size: 300_000_000,
  Created: '2026-01-02T03:04:05.678Z',
  Config: { Labels: labels },
});
const OURS = { 'halfdoor.runner-lock': needed.runnerLock, 'halfdoor.checkout': needed.checkout };
const USED = image('sha256:aa', [needed.name], { ...OURS, 'halfdoor.with': 'claude' });
const OLD = image('sha256:bb', [], OURS);
const FOREIGN = image('sha256:cc', ['mine:1'], { 'halfdoor.runner-lock': '0123456789ab', 'halfdoor.checkout': '' });

const has = (images: readonly object[]): string => `
  'image ls') printf 'sha256:aa\\nsha256:bb\\nsha256:cc\\n' ;;
  'image inspect') if [ "$3" = --format ]; then echo sha256:aa; else cat <<'END'
${JSON.stringify(images)}
END
  fi ;;`;

test('without an engine every verb says what to do', async (t) => {
  const down = withDocker(t, `*) echo 'Cannot connect to the Docker daemon at unix:///x.' >&2; exit 1 ;;`);
  for (const verb of ['build', 'list', 'prune', 'unpack']) {
    const { code, err } = await down.run(['image', verb]);
    assert.equal(code, 1);
    assert.match(err, /^the Docker engine does not answer\nStart it: /m, verb);
    const none = await down.run(['image', verb], { HALFDOOR_DOCKER: '/nowhere/docker' });
    assert.match(none.err, /^there is no program \/nowhere\/docker\nInstall Docker: /m);
    assert.equal(none.code, 1);
  }
});

test('a build is given what it was asked for; no password and no content of a secret is in its arguments', async (t) => {
  const docker = withDocker(t, has([USED, OLD]));
  const folder = freshFolder(t);
  const npmrc = join(folder, 'npmrc');
  writeFileSync(npmrc, '//registry/:_authToken=s3cret');
  const options = ['--with', 'vercel,claude', '--base', 'mine:12', '--network', 'host', '--npmrc', npmrc, '--fresh'];
  const { code, out, err } = await docker.run(['image', 'build', ...options], {
    HTTPS_PROXY: 'http://me:pass@proxy:1',
  });
  assert.equal(code, 0, err);
  assert.match(out, new RegExp(`^built ${needed.name}: claude,vercel, 300 MB, \\d+ s$`, 'm'));
  assert.match(err, /1 from before can go: \.\/halfdoor image prune/);
  const build = docker.calls().find(([verb]) => verb === 'build') ?? [];
  const said = build.join(' ');
  for (const part of [
    `--file image/Dockerfile --tag ${needed.name}`,
    '--build-arg BASE_IMAGE=mine:12',
    '--build-arg WITH=claude,vercel',
    `--build-arg RUNNER_LOCK=${needed.runnerLock}`,
    '--build-arg HTTPS_PROXY --',
    '--network host',
    '--no-cache',
    `--secret id=npmrc,src=${npmrc}`,
  ])
    assert.ok(said.includes(part), `${part} is not in: ${said}`);
  assert.equal(build.at(-1), '.');
  assert.doesNotMatch(said, /pass|s3cret/);
});

test('what cannot be built is told before anything is begun', async (t) => {
  const docker = withDocker(t, has([]));
  for (const [words, said] of [
    [['--with', 'frob'], /^nothing called frob can be built in\nknown are claude/m],
    [['--ca', '/nowhere/ca'], /^there is no file \/nowhere\/ca/m],
  ] as const) {
    const { code, err } = await docker.run(['image', 'build', ...words]);
    assert.equal(code, 2);
    assert.match(err, said);
  }
  assert.deepEqual(docker.calls(), []);
});

test('a build that fails says the last words of its step, as JSON too', async (t) => {
  const words = `#8 [1/9] RUN sh /build/image/install.sh system\\n#8 1.1 E: no frob\\n#8 ERROR: code 100\\n`;
  const docker = withDocker(t, `build*) printf '${words}' >&2; exit 1 ;;\n*) echo 20.10 ;;`);
  const { code, err } = await docker.run(['image', 'build']);
  assert.equal(code, 1);
  assert.match(err, /the image was not built:\nE: no frob\nMend what it names/);
  const json = JSON.parse((await docker.run(['image', 'build', '--json'])).out) as Record<string, string>;
  assert.deepEqual(Object.keys(json), ['error', 'next']);
});

test('list says which one agents get, and when there is none', async (t) => {
  const all = await withDocker(t, has([USED, OLD, FOREIGN])).run(['image', 'list']);
  assert.match(all.out, new RegExp(`^${needed.name} +claude +300 MB +2026-01-02T03:04:05 +agents get it$`, 'm'));
  assert.match(all.out, /^bb +slim +.*no longer needed$/m);
  assert.match(all.out, /^mine:1 +slim +.*not of this checkout$/m);
  assert.doesNotMatch(all.out, /which is not there/);
  const none = await withDocker(t, has([OLD])).run(['image', 'list']);
  assert.match(
    none.out,
    new RegExp(`^Agents in Docker need ${needed.name}, which is not there: \\./halfdoor image build$`, 'm'),
  );
  const wrong = image('sha256:aa', [needed.name], { 'halfdoor.runner-lock': '0123456789ab' });
  const misfits = await withDocker(t, has([wrong])).run(['image', 'list']);
  assert.match(misfits.out, /no: halfdoor:\w+ was built for another runner/);
});

test('prune shows what goes, asks, and takes only what this checkout made and needs no more', async (t) => {
  const docker = withDocker(t, has([USED, OLD, FOREIGN]));
  const asked = await docker.run(['image', 'prune']);
  assert.equal(asked.code, 2);
  assert.match(asked.err, /^bb {2}slim {2}300 MB\nnobody is there to be asked\n.*image prune --yes$/m);
  assert.ok(docker.calls().every(([, verb]) => verb !== 'rm'));
  const done = await docker.run(['image', 'prune', '--yes']);
  assert.match(done.out, /^removed 1 of 1$/m);
  assert.deepEqual(
    docker.calls().filter(([, verb]) => verb === 'rm'),
    [['image', 'rm', 'sha256:bb']],
  );
});

test('prune says of one that is in use that it stays', async (t) => {
  const docker = withDocker(t, `${has([USED, OLD])}\n'image rm') echo 'conflict: it is being used' >&2; exit 1 ;;`);
  const { code, out } = await docker.run(['image', 'prune', '--yes', '--json']);
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(out), { removed: [], kept: [{ image: 'bb', why: 'conflict: it is being used' }] });
});

test('an image that cannot be unpacked changes nothing, and its container goes', async (t) => {
  for (const [does, said] of [
    [`echo 'no room for it' >&2; exit 1`, /^no room for it$/m],
    [`tar -c -C "$EMPTY" usr etc; echo 'it went away' >&2; exit 1`, /^it went away$/m],
    ['echo no archive', /tar/],
    ['tar -c -C "$EMPTY" usr etc', /there is no usr\/bin\/tini, usr\/bin\/prlimit, usr\/bin\/dash in the image/],
  ] as const) {
    const docker = withDocker(t, `${has([USED])}\n'create --network') echo c1 ;;\nexport*) ${does} ;;`);
    const empty = freshFolder(t);
    for (const path of ['usr/bin', 'etc/alternatives']) mkdirSync(join(empty, path), { recursive: true });
    writeFileSync(join(empty, 'etc/ld.so.cache'), '');
    const home = freshFolder(t);
    const { code, err } = await docker.run(['image', 'unpack'], { HALFDOOR_HOME: home, EMPTY: empty });
    assert.equal(code, 1);
    assert.match(err, said);
    assert.ok(!existsSync(join(home, 'image', 'current')));
    assert.deepEqual(docker.calls().at(-1), ['rm', 'c1']);
  }
});
