/** Whom to kill, and in which row of the delivery contract (DESIGN §6: what is durable when). Decides purely. */
import type { Random } from '../../tests/crash/sim/random.ts';
import type { Armed } from './gate.ts';

export const ROLES = ['host', 'reader', 'runner', 'sandbox'] as const;
export type Role = (typeof ROLES)[number];

/**
 * The steps of each row at whose edges a process can be stopped while somebody is killed; `deliver` is the receiver with
 * a message in its hands. Every pair of role and row exists: whoever is killed need not be the one whose step it is.
 */
export const STEPS_OF = {
  accept: ['accept'],
  enqueue: ['enqueue'],
  claim: ['claim'],
  say: ['say'],
  settle: ['settle'],
  collect: ['collect'],
  deliver: ['deliver', 'receipt'],
} as const;
/** `any` is a moment of chance. */
export const ROWS = [...(Object.keys(STEPS_OF) as (keyof typeof STEPS_OF)[]), 'any'] as const;
export type Row = (typeof ROWS)[number];

export type Pair = { role: Role; row: Row };
const EDGES: readonly Armed['edge'][] = ['before', 'after'];

/** How often each pair was killed. */
export class Counts {
  readonly #counts = new Map<string, number>();
  total = 0;

  add({ role, row }: Pair): void {
    this.#counts.set(`${role} ${row}`, this.of({ role, row }) + 1);
    this.total += 1;
  }

  of({ role, row }: Pair): number {
    return this.#counts.get(`${role} ${row}`) ?? 0;
  }
}

/** One of those that were killed least. */
export function nextPair(counts: Counts, random: Random): Pair {
  const pairs = ROLES.flatMap((role) => ROWS.map((row) => ({ role, row })));
  const least = Math.min(...pairs.map((pair) => counts.of(pair)));
  return pick(
    pairs.filter((pair) => counts.of(pair) === least),
    random,
  );
}

export function stepOf(row: Exclude<Row, 'any'>, random: Random): Pick<Armed, 'step' | 'edge'> {
  return { step: pick(STEPS_OF[row], random), edge: pick(EDGES, random) };
}

/** Throws on an empty list. */
export function pick<T>(from: readonly T[], random: Random): T {
  const found = from[random.below(from.length)];
  if (found === undefined) throw new Error('there is nothing to pick from');
  return found;
}
