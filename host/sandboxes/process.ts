/** No wall at all: the runner as a plain process of the host's user. For tests; it must be asked for by name. */
import { spawn } from 'node:child_process';
import { lstatSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runLabel } from './label.ts';
import { launched, tailOf } from './launched.ts';
import { SandboxError, type RunningSandbox, type Sandbox, type SandboxSpec } from './sandbox.ts';
import { resetModes } from './modes.ts';
import { checkPresent } from './present.ts';

export const processSandbox = (): Sandbox => ({
  kind: 'process',
  baseOf: (sessionFolder) => sessionFolder,
  probe: () => Promise.resolve({ ok: true }),
  start,
});

async function start(spec: SandboxSpec): Promise<RunningSandbox> {
  const base = dirname(spec.inDir);
  checkPresent(spec);
  resetModes(spec);
  // Inside a real sandbox these are mounts.
  link(spec.socketDir, join(base, 'run'));
  link(spec.agentDir, join(base, 'agent'));
  link(spec.folder?.path ?? null, join(base, 'folder'));
  const argv = [
    join(spec.program.folder, spec.program.entry),
    String(spec.run),
    base,
    runLabel(spec.label, spec.sessionId),
  ];
  if (spec.recover) argv.push('--recover');
  const env = { HOME: join(spec.workDir, 'home'), PATH: '/usr/bin:/bin', TMPDIR: '/tmp', LANG: 'C.UTF-8' };
  const child = spawn(spec.program.bun, argv, {
    cwd: spec.workDir,
    env,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const stderr = tailOf(child);
  const pid = await new Promise<number>((resolve, reject) => {
    child.once('spawn', () => resolve(child.pid ?? 0));
    child.once('error', (error) =>
      reject(new SandboxError(`the runner did not start: ${error.message}`, 'Run ./halfdoor again: it brings Bun.')),
    );
  });
  return launched(child, pid, stderr);
}

function link(target: string | null, path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })) rmSync(path);
  if (target !== null) symlinkSync(target, path);
}
