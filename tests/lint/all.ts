import { durable, leftOvers, moduleState, providerNames, sql } from './patterns.ts';
import { readSource, type Finding, type Lint } from './source.ts';
import { fileNames, lockFiles, ownMachines, straightLine, type TreeFile, type TreeLint } from './tree.ts';
import { walls } from './walls.ts';

const OF_SOURCES: readonly Lint[] = [walls, sql, providerNames, moduleState, durable, leftOvers];
const OF_FILES: readonly TreeLint[] = [fileNames, ownMachines, lockFiles, straightLine];

/** Every lint with what it found. `files` are all text files that belong to the tree. */
export function runLints(files: readonly TreeFile[]): { name: string; findings: Finding[] }[] {
  const sources = files.filter(({ path }) => path.endsWith('.ts')).map(({ path, text }) => readSource(path, text));
  return [
    ...OF_SOURCES.map((lint) => ({ name: lint.name, findings: lint.run(sources) })),
    ...OF_FILES.map((lint) => ({ name: lint.name, findings: lint.run(files) })),
  ];
}
