/** What holds for the files of the tree, whatever language they are in. */
import { basename } from 'node:path';

export type TreeFile = { path: string; text: string };
export type TreeFinding = { path: string; line: number; what: string };
export type TreeLint = { name: string; run(files: readonly TreeFile[]): TreeFinding[] };

const VAGUE = /^(?:.*[-_.])?(?:utils?|helpers?|common|misc|managers?)(?:[-_.].*)?$/i;

export const fileNames: TreeLint = {
  name: 'file names say what is inside',
  run: (files) =>
    files
      .filter(({ path }) => path.split('/').some((step) => VAGUE.test(step)))
      .map(({ path }) => ({ path, line: 1, what: 'a name that says nothing' })),
};

/** In pieces, so that this file does not find itself. */
const OWN_MACHINES = new RegExp(['(?<!\\w)/wo' + 'rk/', '(?<!\\w)/fa' + 'rm/'].join('|'));

export const ownMachines: TreeLint = {
  name: 'no path of a machine that only its author has',
  run: (files) => lines(files, (line) => OWN_MACHINES.test(line), 'a path of one machine'),
};

export const lockFiles: TreeLint = {
  name: 'lock files name no registry host',
  run: (files) =>
    lines(
      files.filter(({ path }) => ['package-lock.json', 'bun.lock'].includes(basename(path))),
      (line) => /https?:\/\//.test(line) && !/"(url|funding|homepage)":/.test(line),
      'names a host',
    ),
};

const STRAIGHT_LINE_LIMIT = 3_000;
const STRAIGHT_LINE_FILES = 8;

/** ARCHITECTURE.md prints the way of a message between two marks, with real paths. */
export const straightLine: TreeLint = {
  name: `the straight line of ARCHITECTURE.md is true and at most ${STRAIGHT_LINE_LIMIT} lines`,
  run: (files) => {
    const path = 'ARCHITECTURE.md';
    const page = files.find((file) => file.path === path);
    if (!page) return [{ path, line: 1, what: 'is missing: it prints the straight line with real paths' }];
    const named = pathsNamed(page.text);
    const missing = named.filter(
      (it) => !files.some((file) => file.path === it || file.path.startsWith(`${it.replace(/\/$/, '')}/`)),
    );
    const found = missing.map((it) => ({
      path,
      line: lineOf(page.text, it),
      what: `names ${it}, which does not exist`,
    }));
    const line = straightPaths(page.text);
    if (line.length < STRAIGHT_LINE_FILES) {
      return [
        ...found,
        { path, line: 1, what: 'does not print the straight line between <!-- straight line --> and <!-- end -->' },
      ];
    }
    const total = files
      .filter((file) => line.includes(file.path))
      .reduce((sum, { text }) => sum + text.split('\n').length - 1, 0);
    if (total <= STRAIGHT_LINE_LIMIT) return found;
    return [...found, { path, line: 1, what: `the straight line has ${total} lines, over ${STRAIGHT_LINE_LIMIT}` }];
  },
};

const REAL_PATH = /(?<![\w/.<-])(?:protocol|host|runner|cli|tests|bench|docs|image|runtime)\/[\w./-]*\w\/?/g;

const pathsNamed = (text: string): string[] => [...new Set(text.match(REAL_PATH) ?? [])];

function straightPaths(text: string): string[] {
  const [, between = ''] = /<!-- straight line -->([^]*?)<!-- end -->/.exec(text) ?? [];
  return pathsNamed(between).filter((it) => it.endsWith('.ts'));
}

const lineOf = (text: string, what: string): number => text.slice(0, text.indexOf(what)).split('\n').length;

function lines(files: readonly TreeFile[], isBad: (line: string) => boolean, what: string): TreeFinding[] {
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, at) => (isBad(line) ? [{ path, line: at + 1, what }] : [])),
  );
}
