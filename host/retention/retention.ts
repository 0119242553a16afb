/** When what is over is forgotten: once after the start, then once a day, beside everything else the host does. */
import type { Clock, Timer } from '../clock.ts';
import type { Central } from '../db/central.ts';
import { errorText, type Log } from '../log.ts';
import { cutoffAt, STEPS } from './forget.ts';

export type RetentionDeps = {
  central: Central;
  clock: Clock;
  log: Log;
  /** Removes files of what is no longer there, as far as it was made before the id. */
  sweep(before: string): Promise<void>;
};

const EVERY_MS = 24 * 60 * 60_000;
/** Between two transactions, for whoever waits for central or for the loop. */
const PAUSE_MS = 20;

export class Retention {
  readonly #deps: RetentionDeps;
  #timer: Timer | null = null;
  #passing: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(deps: RetentionDeps) {
    this.#deps = deps;
  }

  /** Begins a pass and comes back; the next begins a day after it. */
  start(): void {
    const { log, clock } = this.#deps;
    this.#passing = this.#pass().then(
      (removed) => log.info('what is over and past its age is forgotten', { rows: removed }),
      (error: unknown) => log.error('could not forget what is over; tried again in a day', { error: errorText(error) }),
    );
    this.#timer = clock.after(EVERY_MS, () => this.start());
  }

  /** Returns the number of rows removed. */
  async #pass(): Promise<number> {
    const { central, clock } = this.#deps;
    const cutoff = cutoffAt(clock.now().getTime());
    let removed = 0;
    for (const step of STEPS) {
      for (let after: string | null = ''; after !== null && !this.#closed;) {
        const from: string = after;
        const done = await central.commit('forget', (tx) => step(tx, cutoff, from));
        removed += done.removed;
        after = done.after;
        if (after !== null) await new Promise<void>((resolve) => clock.after(PAUSE_MS, resolve));
      }
    }
    if (!this.#closed) await this.#deps.sweep(cutoff.id);
    return removed;
  }

  /** Resolves once the transaction under way is done; no other follows. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#passing;
  }
}
