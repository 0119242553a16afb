/** Where the story has somebody killed: before or after a durable step, each counted. */
import { DURABLE_STEPS, type Durable, type DurableStep, type Edge } from '@halfdoor/protocol/durable';
import { Killed, never, type Life } from './life.ts';

/** Taken for an operator, or for a home as a whole: no message waits for any of these. */
const BESIDE = [
  'secrets-key',
  'secret',
  'channel',
  'preview',
  'folder',
  'egress-rule',
  'egress-log',
  'dead-letter',
  'forget',
  'rotate-log',
] as const satisfies readonly DurableStep[];
export type StoryStep = Exclude<DurableStep, (typeof BESIDE)[number]>;
const beside: ReadonlySet<DurableStep> = new Set(BESIDE);
/** The steps that a story takes. */
export const STORY_STEPS = DURABLE_STEPS.filter((it): it is StoryStep => !beside.has(it));

/**
 * `self`: the side that takes the step. `power`: everything at once, and the files as they lie there at that instant.
 * `linger`: a run is reported gone, and goes on for a moment. `says`: at that moment somebody speaks.
 */
export type Crash = { step: DurableStep; edge: Edge; skip: number; who: 'self' | 'power' | 'linger'; says: boolean };

export type Coverage = Record<string, { before: number; after: number }>;

export const noCoverage = (): Coverage =>
  Object.fromEntries(STORY_STEPS.map((step) => [step, { before: 0, after: 0 }]));

/** The steps whose effect is done when it returns; all others are done when their promise resolves. */
const AT_ONCE: ReadonlySet<DurableStep> = new Set([
  'template',
  'agent-folder',
  'session-folder',
  'enqueue',
  'take-over',
  'continuation',
  'out-file',
  'say',
  'settle',
  'prune-outbound',
  'prune-inbound',
]);

export class CrashPoints {
  readonly #plan: Crash[];
  readonly #coverage: Coverage;

  constructor(plan: readonly Crash[], coverage: Coverage) {
    this.#plan = plan.map((it) => ({ ...it }));
    this.#coverage = coverage;
  }

  /** Nothing of the plan happens any more. */
  disarm(): void {
    this.#plan.length = 0;
  }

  /** Whether the plan has somebody killed here. The first of the plan for a point is the one that counts down. */
  take(step: DurableStep, edge: Edge): Crash | null {
    const at = this.#plan.findIndex((it) => it.step === step && it.edge === edge);
    const crash = this.#plan[at];
    if (!crash) return null;
    if (crash.skip > 0) {
      crash.skip -= 1;
      return null;
    }
    this.#plan.splice(at, 1);
    return crash;
  }

  /** Somebody was killed here. */
  count(step: DurableStep, edge: Edge): void {
    const counts = this.#coverage[step];
    if (counts) counts[edge] += 1;
  }
}

export type Witness = {
  points: CrashPoints;
  /** The effect is done and durable. */
  done(step: DurableStep): void;
  /** Ends the side, and for `power` everything else; for `linger` the side goes on. */
  crash(crash: Crash): void;
};

/** `durable` of one side. Once it is dead no effect of it happens, and what it waits for never comes. */
export function mortalDurable(life: Life, { points, done, crash }: Witness): Durable {
  const isDead = (step: DurableStep, edge: Edge): boolean => {
    if (life.ended) return true;
    const planned = points.take(step, edge);
    if (planned) crash(planned);
    if (life.ended) points.count(step, edge);
    return life.ended;
  };
  const over = <T>(step: DurableStep): T => {
    if (AT_ONCE.has(step)) throw new Killed(life);
    return never() as T;
  };
  return <T>(step: DurableStep, effect: () => T): T => {
    if (isDead(step, 'before')) return over<T>(step);
    const result = effect();
    if (!(result instanceof Promise)) {
      done(step);
      return isDead(step, 'after') ? over<T>(step) : result;
    }
    const settled = result.then(
      (value: unknown) => {
        if (life.ended) return never();
        done(step);
        return isDead(step, 'after') ? never() : value;
      },
      (error: unknown) => (life.ended ? never() : Promise.reject(error)),
    );
    return settled as T;
  };
}
