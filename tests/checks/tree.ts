/** The files of the checkout. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TreeFile } from '../lint/tree.ts';

const NOT_OURS = ['.git', 'node_modules', 'runtime/dist', 'runtime/lock', 'runtime/ready'];

/** Paths from the root, sorted; without what npm and the launcher put there. */
export function listFiles(root: string, below = ''): string[] {
  const found = readdirSync(join(root, below), { withFileTypes: true }).flatMap((entry) => {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (NOT_OURS.includes(path) || NOT_OURS.includes(entry.name)) return [];
    return entry.isDirectory() ? listFiles(root, path) : entry.isFile() ? [path] : [];
  });
  return found.toSorted();
}

/** Text files only: what holds a NUL is none. */
export function readTree(root: string, paths: readonly string[]): TreeFile[] {
  return paths
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
    .filter(({ text }) => !text.includes('\0'));
}
