/** What a run needs to be there. Looked for before anything starts: inside a wall a missing one is a death, not an error. */
import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';
import { checkDescriptors } from './descriptors.ts';
import { SandboxError, type SandboxSpec } from './sandbox.ts';

const BROUGHT = 'Run ./halfdoor again: it brings Bun and makes the runner.';

/** Throws `SandboxError` for the first that is missing. */
export function checkPresent({ program, inDir, agentDir, socketDir }: SandboxSpec): void {
  checkDescriptors();
  const entry = join(program.folder, program.entry);
  if (!isFile(program.bun) || !isExecutable(program.bun)) {
    throw new SandboxError(`there is no program at ${program.bun}`, BROUGHT);
  }
  if (!isFile(entry)) throw new SandboxError(`there is no runner at ${entry}`, BROUGHT);
  for (const folder of [inDir, agentDir, socketDir]) {
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
      throw new SandboxError(
        `${folder} is missing or not a folder`,
        'Put it back from a backup, or begin afresh with /new.',
      );
    }
  }
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
