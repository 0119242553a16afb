/**
 * The image that Docker starts agents from: what it is called, and whether one that is there fits this checkout. Its name
 * is made of all it is built from and of where the checkout lies: an image of an older checkout, or of another one with
 * other programs in it, is never taken for this one's.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Everything a build reads, below the checkout. */
export const IMAGE_SOURCES = [
  'image/Dockerfile',
  'image/build.env',
  'image/entrypoint.sh',
  'image/install.sh',
  'runner/bun.lock',
  'runtime/package-lock.json',
] as const;

/** Labels that a build puts on its image. */
export const IMAGE_LABELS = {
  runnerLock: 'halfdoor.runner-lock',
  madeOf: 'halfdoor.made-of',
  with: 'halfdoor.with',
  checkout: 'halfdoor.checkout',
} as const;

export const BUILD_COMMAND = './halfdoor image build';

export type NeededImage = {
  /** What agents are started from, whatever was built into it. */
  name: string;
  /** 12 hex digits each: of all sources, of the runner's lock, of the folder of the checkout. */
  madeOf: string;
  runnerLock: string;
  checkout: string;
};

/** Reads the sources below `root`. Throws when one is missing. */
export function neededImage(root: string): NeededImage {
  const all = createHash('sha256').update(`${root}\0`);
  for (const path of IMAGE_SOURCES)
    all
      .update(`${path}\0`)
      .update(readFileSync(join(root, path)))
      .update('\0');
  const madeOf = short(all.digest('hex'));
  const runnerLock = short(sha256(readFileSync(join(root, 'runner', 'bun.lock'))));
  return { name: `halfdoor:${madeOf}`, madeOf, runnerLock, checkout: short(sha256(root)) };
}

/** Why an image with these labels is not for this checkout, and what to do; null when it is. */
export function misfit(
  image: string,
  labels: Readonly<Record<string, string>>,
  needed: NeededImage,
): { fault: string; next: string } | null {
  const has = labels[IMAGE_LABELS.runnerLock];
  if (has === needed.runnerLock) return null;
  const fault =
    has === undefined
      ? `${image} was not built from image/Dockerfile: it does not say for which runner it is`
      : `${image} was built for another runner (runner/bun.lock was ${has}, here it is ${needed.runnerLock})`;
  return { fault, next: BUILD_COMMAND };
}

const sha256 = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');
const short = (hex: string): string => hex.slice(0, 12);
