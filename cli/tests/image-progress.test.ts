/** Lines as `docker build --progress=plain` of engine 20.10 wrote them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whyUnreached } from '../image/engine.ts';
import { BuildProgress, nextAfter } from '../image/progress.ts';

const seen = (lines: readonly string[]): { shown: string[]; fault: string } => {
  const progress = new BuildProgress();
  const shown = lines.map((line) => progress.take(line)).filter((it) => it !== null);
  return { shown, fault: progress.fault };
};

test('steps that take time are named with it, long ones are quoted, the rest is quiet', () => {
  const { shown } = seen([
    '#1 [internal] load build definition from Dockerfile',
    '#1 DONE 0.1s',
    '#8 [stage-1 2/9] RUN --mount=type=bind,source=image,target=/build/image   sh /build/image/install.sh system',
    '#8 sha256:0add1e',
    '#8 0.912 Get:1 something',
    '#9 [stage-1 3/9] RUN sh /build/image/install.sh bun',
    '#8 5.100  ',
    '#8 5.101 Unpacking git',
    '#8 5.202 Unpacking jq',
    '#8 [stage-1 2/9] RUN --mount=type=bind,source=image,target=/build/image   sh /build/image/install.sh system',
    '#8 DONE 17.4s',
    '#9 CACHED',
    '#10 [stage-1 7/9] RUN sh /build/image/install.sh finish',
    '#10 DONE 0.4s',
    '#15 exporting to image',
    '#15 DONE 2.3s',
  ]);
  assert.deepEqual(shown, ['Packages of Debian … Unpacking git', 'Packages of Debian: 17 s', 'Writing the image: 2 s']);
});

const FAILED = [
  '#8 [stage-1 2/9] RUN sh /build/image/install.sh system',
  '#8 1.100 E: Unable to locate package frob',
  '#8 ERROR: executor failed running [/bin/sh -c …]: exit code: 100',
  '------',
  ' > [stage-1 2/9] RUN sh /build/image/install.sh system:',
  '#8 1.100 E: Unable to locate package frob',
  '------',
  'executor failed running [/bin/sh -c …]: exit code: 100',
];

test('a failure is the last words of its step, or of our own script', () => {
  assert.equal(seen(FAILED).fault, 'E: Unable to locate package frob');
  const ours = ['#5 0.300 halfdoor image: WITH names frob; known: claude', ...FAILED];
  assert.equal(seen(ours).fault, 'WITH names frob; known: claude');
  const pull = [
    '#3 [internal] load metadata for x',
    '#3 ERROR: pull access denied',
    '------',
    ' > [internal] load metadata for x:',
    '------',
    'failed to solve',
  ];
  assert.equal(seen(pull).fault, 'pull access denied');
  assert.equal(seen(['unknown flag: --progress']).fault, 'unknown flag: --progress');
});

test('however much a build says, not all of it is kept', () => {
  const lines = Array.from({ length: 5000 }, (_, at) => `line ${at}`);
  const { fault } = seen(lines);
  assert.equal(fault.split('\n').length, 15);
  assert.equal(fault.split('\n').at(-1), 'line 4999');
});

test('what to do next goes by what was said', () => {
  for (const [said, next] of [
    ['write /x: no space left on device', /image prune/],
    ['pull access denied for frob', /--base/],
    ['Temporary failure resolving deb.debian.org', /docs\/image\.md/],
    ['curl: (60) SSL certificate problem', /docs\/image\.md/],
    ['E: Unable to locate package frob', /^Mend what it names/],
  ] as const)
    assert.match(nextAfter(said), next, said);
});

test('an engine that is down, and one that may not be used, are told from a command that failed', () => {
  const down = 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?';
  assert.match(whyUnreached(down)?.next ?? '', /systemctl start docker/);
  const denied =
    'Got permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock';
  assert.match(whyUnreached(denied)?.message ?? '', /may not use/);
  assert.equal(whyUnreached('Error: No such image: frob'), null);
  assert.equal(whyUnreached('permission denied while opening /x'), null);
});
