/** What cannot start is an error with a way out, and leaves nothing behind. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SandboxError, type SandboxKind, type SandboxSpec } from '../../host/sandboxes/sandbox.ts';
import { processesWith, roundsOf, type Stage, type Staged } from './sandbox-stage.ts';

type Broken = [name: string, names: RegExp, breakIt: (stage: Stage) => Partial<SandboxSpec>];

const programOf = ({ spec, folder }: Stage, more: Partial<SandboxSpec['program']>): Partial<SandboxSpec> => ({
  program: { ...spec.program, ...Object.fromEntries(Object.entries(more).map(([key, it]) => [key, join(folder, it)])) },
});

const STARTS = 120;
/** A start takes less, from the call to the runner. */
const START_MS = 8;
/** From the call to the client's end. */
const CONTAINER_START_MS = 600;

/** More than a start needs of descriptors. */
const SPARE = 32;

const children = (): number[] =>
  readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);

const aside = (path: string): void => renameSync(path, `${path}.aside`);

const BROKEN: readonly Broken[] = [
  ['no Bun', /no-bun/, (stage) => programOf(stage, { bun: 'no-bun' })],
  [
    'a Bun that may not be run',
    /dull-bun/,
    (stage) => {
      writeFileSync(join(stage.folder, 'dull-bun'), '#!/bin/sh\n', { mode: 0o600 });
      return programOf(stage, { bun: 'dull-bun' });
    },
  ],
  ['no runner', /no-dist/, (stage) => programOf(stage, { folder: 'no-dist' })],
  ['no entry', /no-entry/, ({ spec }) => ({ program: { ...spec.program, entry: 'no-entry.js' } })],
  ['no in/', /\/in is missing/, ({ spec }) => (aside(spec.inDir), {})],
  ['no work/', /\/work is missing/, ({ spec }) => (aside(spec.workDir), {})],
  ['no folder of the agent', /agents\/a is missing/, ({ spec }) => (aside(spec.agentDir), {})],
  ['no folder of sockets', /run is missing/, ({ spec }) => (aside(spec.socketDir), {})],
  ['no outbound.db', /outbound\.db is missing/, ({ spec }) => (aside(join(spec.outDir, 'outbound.db')), {})],
  ['no out/files', /files is missing/, ({ spec }) => (aside(join(spec.outDir, 'files')), {})],
  [
    'a link in the place of the heartbeat',
    /heartbeat is missing or not a file/,
    ({ spec }) => {
      const path = join(spec.outDir, 'heartbeat');
      aside(path);
      symlinkSync('/etc/passwd', path);
      return {};
    },
  ],
  [
    'a file in the place of work/',
    /work is missing or not a folder/,
    ({ spec }) => (aside(spec.workDir), writeFileSync(spec.workDir, ''), {}),
  ],
];

export function startCases(staged: Staged): void {
  for (const [name, names, breakIt] of BROKEN) {
    staged(`with ${name} it does not start, says what to do, and leaves nothing`, async (stage) => {
      await stage.listen();
      const before = readdirSync(stage.paths.folder);
      const more = breakIt(stage);
      await assert.rejects(stage.attempt(more), (error: unknown) => {
        assert.ok(error instanceof SandboxError, String(error));
        assert.match(error.message, names);
        assert.match(error.next, /\w+ \w+/);
        return true;
      });
      assert.deepEqual(processesWith(`halfdoor-${stage.home.label}-`), []);
      const added = readdirSync(stage.paths.folder).filter((it) => !before.includes(it) && !it.endsWith('.aside'));
      assert.deepEqual(added, []);
    });
  }

  staged('what an agent did to the modes of its files does not outlive its run', async (stage) => {
    const { outDir, workDir } = stage.spec;
    for (const path of [join(outDir, 'outbound.db'), join(outDir, 'files'), workDir]) chmodSync(path, 0);
    mkdirSync(join(stage.folder, 'elsewhere'));
    const running = await stage.attempt({});
    await running.gone;
    writeFileSync(join(workDir, 'verb'), '');
    writeFileSync(join(outDir, 'outbound.db'), '');
  });
}

/** What happens around a start must not be able to hang it, nor to end the host. */
export function awkwardStartCases(kind: SandboxKind, staged: Staged): void {
  const starts = roundsOf(kind, STARTS);
  const startMs = kind === 'docker' ? CONTAINER_START_MS : START_MS;
  staged('killed at any moment of its start it is gone or has not started, and nothing is left', async (stage) => {
    await stage.listen();
    // The first start of an engine's host is begun by another command.
    if (kind === 'docker') await (await stage.start('exits')).gone;
    writeFileSync(join(stage.spec.workDir, 'verb'), 'deaf');
    for (let n = 0; n < starts; n++) {
      const before = new Set(children());
      const started = stage.attempt({ run: n + 1 });
      const outer = children().find((pid) => !before.has(pid));
      // Not a wait for something: each time a little later, so that every moment has its turn.
      for (const until = performance.now() + (n / starts) * startMs; performance.now() < until;);
      if (outer !== undefined) process.kill(outer, 'SIGKILL');
      await started.then(
        (running) => {
          // What was killed is the client of an engine: too late, it ends nothing.
          if (kind === 'docker') running.kill();
          return running.gone;
        },
        (error: unknown) => assert.ok(error instanceof SandboxError, String(error)),
      );
    }
    assert.deepEqual(processesWith(`halfdoor-${stage.home.label}-`), []);
  });

  staged('with few descriptors left it starts, or is an error with a way out', async (stage, t) => {
    await stage.listen();
    writeFileSync(join(stage.spec.workDir, 'verb'), '');
    // Started before they are scarce: it lowers and raises the limit of this very process.
    const limiter = spawn('/bin/sh', [
      '-c',
      `while read n; do prlimit --pid ${process.pid} --nofile=$n: && echo; done`,
    ]);
    t.after(() => limiter.kill());
    const limit = async (files: number): Promise<void> => {
      const done = once(limiter.stdout, 'data');
      limiter.stdin.write(`${files}\n`);
      await done;
    };
    const inUse = (): number => readdirSync('/proc/self/fd').length;
    const open = inUse();
    let outcome: unknown;
    for (let spare = 0; spare < SPARE; spare++) {
      const before = inUse();
      await limit(open + spare);
      outcome = await stage.attempt({ run: spare + 1 }).then(
        (running) => running.gone,
        (error: unknown) => error,
      );
      await limit(1024);
      if (!(outcome instanceof Error)) continue;
      assert.ok(outcome instanceof SandboxError, String(outcome));
      // Less is left where the container of a try before was still being removed.
      assert.ok(inUse() <= before, 'what was opened for it stays open');
    }
    assert.ok(!(outcome instanceof Error), `none was enough: ${String(outcome)}`);
  });
}
