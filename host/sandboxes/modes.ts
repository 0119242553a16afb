/** Modes of what is writable inside, set again before each start: a chmod 0 from inside outlives its run. */
import { chmodSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { OUT_FILES } from '../home.ts';
import { SandboxError, type SandboxSpec } from './sandbox.ts';

/** No run is alive, and out/ itself is not writable inside: what is checked here cannot be swapped behind the check. */
export function resetModes(spec: SandboxSpec): void {
  for (const name of OUT_FILES) reset(join(spec.outDir, name), 'file', 0o600);
  reset(join(spec.outDir, 'files'), 'folder', 0o700);
  reset(spec.workDir, 'folder', 0o700);
}

function reset(path: string, kind: 'file' | 'folder', mode: number): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found || !(kind === 'file' ? found.isFile() : found.isDirectory())) {
    throw new SandboxError(`${path} is missing or not a ${kind}`, 'Begin afresh with /new.');
  }
  if ((found.mode & 0o777) !== mode) chmodSync(path, mode);
}
