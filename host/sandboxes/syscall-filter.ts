/**
 * Which system calls there are inside: image/seccomp/profile.json, compiled for bubblewrap (image/seccomp/compile.py). It
 * takes the filter from a descriptor, which it reads to its end and closes before anything inside runs.
 */
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { SandboxError } from './sandbox.ts';

const FOLDER = join(import.meta.dirname, '..', '..', 'image', 'seccomp');
const PROCESSORS = ['x64', 'arm64'];

/**
 * Hands `use` the filter of this machine, open at its beginning; it is closed again when `use` returns. Each start opens
 * its own: readers of one descriptor share the place they have come to. Throws `SandboxError` where there is none.
 */
export function withFilter<T>(use: (fd: number) => T, arch: string = process.arch): T {
  if (!PROCESSORS.includes(arch)) {
    throw new SandboxError(
      `no filter of system calls is made for processor ${arch}`,
      `Run Halfdoor on a machine with one of: ${PROCESSORS.join(', ')}.`,
    );
  }
  const fd = open(join(FOLDER, `${arch}.bpf`));
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

function open(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw new SandboxError(
      `the filter of system calls cannot be read: ${(error as Error).message}`,
      'git checkout image',
    );
  }
}
