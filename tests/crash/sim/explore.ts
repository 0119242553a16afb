/** Plays many stories, and when one goes wrong looks for the shortest that does. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { noCoverage, type Coverage } from './crash-points.ts';
import { play } from './play.ts';
import { scenarios, type Scenario } from './scenario.ts';

export type Found = {
  runs: number;
  messages: number;
  seconds: number;
  coverage: Coverage;
  /** The shortest story that goes wrong, what went wrong in it, and how to play the search again. */
  counterexample: { scenario: Scenario; violations: string[]; trace: string[]; seed: number; path: string } | null;
};

export type Search = {
  runs: number;
  seed: number;
  path?: string | undefined;
  seconds?: number | undefined;
  /** Takes the first story that goes wrong as it is. */
  asFound: boolean;
};

const TRACE_LINES = 120;

class WentWrong extends Error {
  readonly violations: string[];
  readonly trace: string[];
  constructor(violations: string[], trace: string[]) {
    super(violations.join('\n'));
    this.violations = violations;
    this.trace = trace.slice(-TRACE_LINES);
  }
}

/** The memory of the machine first: what is synced there costs nothing. */
const grounds = (): readonly string[] => ['/dev/shm', tmpdir()];

export async function explore({ runs, seed, path, seconds, asFound }: Search): Promise<Found> {
  const below = playground(grounds());
  const coverage = noCoverage();
  const began = performance.now();
  let messages = 0;
  const property = fc.asyncProperty(scenarios, async (scenario) => {
    const played = await play(scenario, below, coverage);
    messages += played.messages;
    if (played.violations.length > 0) throw new WentWrong(played.violations, played.trace);
  });
  const limit = seconds === undefined ? {} : { interruptAfterTimeLimit: seconds * 1000 };
  const options = { numRuns: runs, seed, unbiased: true, endOnFailure: asFound, ...limit };
  const told = await fc.check(property, path === undefined ? options : { ...options, path });
  const wrong = told.errorInstance;
  const [scenario] = told.counterexample ?? [];
  if (told.failed && scenario !== undefined && !(wrong instanceof WentWrong)) throw wrong;
  const counterexample =
    wrong instanceof WentWrong && scenario !== undefined
      ? { scenario, violations: wrong.violations, trace: wrong.trace, seed, path: told.counterexamplePath ?? '' }
      : null;
  return { runs: told.numRuns, messages, seconds: (performance.now() - began) / 1000, coverage, counterexample };
}

/** One story, line by line. */
export async function tell(seed: number): Promise<string[]> {
  const [scenario] = fc.sample(scenarios, { numRuns: 1, seed });
  if (scenario === undefined) throw new Error('there is no story');
  const { trace, violations } = await play(scenario, playground(grounds()), noCoverage());
  return [...trace, ...violations];
}

/** What goes wrong in this very story, given as JSON. */
export async function retell(story: string): Promise<string[]> {
  const { violations } = await play(JSON.parse(story) as Scenario, playground(grounds()), noCoverage());
  return violations;
}

/** Where stories are played: in memory where the machine has such a folder, as what is synced there costs nothing. */
function playground(candidates: readonly string[]): string {
  for (const folder of candidates) {
    try {
      const made = mkdtempSync(join(folder, 'hd-try-'));
      mkdirSync(join(made, 'x'));
      rmSync(made, { recursive: true });
      return folder;
    } catch {
      continue;
    }
  }
  throw new Error(`none of ${candidates.join(', ')} can be written`);
}
