/**
 * Messages that wait for a time: all of them stand in one index of central, and one timer looks at the first. A wait is
 * over when the clock says so, or when it has taken as long as it was to take: a clock can be set in the meantime.
 */
import { LIMITS } from '@halfdoor/protocol/limits';
import type { Clock, Timer } from '../clock.ts';
import type { Central } from '../db/central.ts';
import { compiled } from '../db/compiled.ts';
import { errorText, type Log } from '../log.ts';

type Deps = {
  central: Central;
  clock: Clock;
  log: Log;
  /** Its messages wait no longer. */
  wake(sessionId: string, agentId: string): void;
};

const FIRST_DUE = compiled((db) =>
  db
    .selectFrom('dispatches')
    .select(['due_at as dueAt', 'parked_at as parkedAt'])
    .where('state', '=', 'open')
    .where('due_at', 'is not', null)
    .orderBy('due_at')
    .limit(1),
);

const RELEASE = compiled((db, it: { dueAt: string }) =>
  db
    .updateTable('dispatches')
    .set({ due_at: null })
    .where('state', '=', 'open')
    .where('due_at', '<=', it.dueAt)
    .returning(['session_id', 'agent_id']),
);
const FREE = compiled((db, it: { agentId: string }) =>
  db
    .updateTable('dispatches')
    .set({ due_at: null })
    .where('agent_id', '=', it.agentId)
    .where('state', '=', 'open')
    .where('due_at', 'is not', null)
    .returning(['session_id', 'agent_id']),
);

/** Set back before the host was started, the clock would have it wait for hours more: never longer than it was to. */
function leftOf(dueAt: string, parkedAt: string | null, now: Date): number {
  const left = Date.parse(dueAt) - now.getTime();
  return parkedAt === null ? left : Math.min(left, Date.parse(dueAt) - Date.parse(parkedAt));
}

export class DueTimer {
  readonly #deps: Deps;
  #timer: Timer | null = null;
  /** What is waited for, and how much of the wait is left in waits of our own. */
  #waiting: { dueAt: string; leftMs: number } | null = null;
  #closed = false;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Something may be due, or has been given a time. Never rejects. */
  async look(): Promise<void> {
    if (this.#closed) return;
    this.#timer?.cancel();
    this.#timer = null;
    try {
      await this.#next();
    } catch (error) {
      this.#deps.log.error('what is due could not be read, it is tried again', { error: errorText(error) });
      this.#after(LIMITS.dueLookMs);
    }
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  async #next(): Promise<void> {
    const first = await FIRST_DUE.first(this.#deps.central.read, {});
    const dueAt = first?.dueAt ?? null;
    if (dueAt === null) {
      this.#waiting = null;
      return;
    }
    const byClock = leftOf(dueAt, first?.parkedAt ?? null, this.#deps.clock.now());
    const left = this.#waiting?.dueAt === dueAt ? Math.min(this.#waiting.leftMs, byClock) : byClock;
    this.#waiting = { dueAt, leftMs: left };
    if (left > 0) this.#after(Math.min(left, LIMITS.dueLookMs));
    else await this.#release(dueAt);
  }

  #after(ms: number): void {
    if (this.#closed) return;
    this.#timer?.cancel();
    this.#timer = this.#deps.clock.after(ms, () => {
      if (this.#waiting) this.#waiting.leftMs -= ms;
      void this.look();
    });
  }

  /** The wait is over once it is no longer in central: killed before that, the next host finds it due. */
  async #release(dueAt: string): Promise<void> {
    this.#wake(await this.#deps.central.commit('park', (tx) => RELEASE.all(tx, { dueAt })));
    await this.#next();
  }

  #wake(rows: { session_id: string; agent_id: string }[]): void {
    for (const [id, agent] of new Map(rows.map((it) => [it.session_id, it.agent_id]))) this.#deps.wake(id, agent);
  }

  /** What this agent has waiting waits no longer: it may have another model now. Never rejects. */
  async free(agentId: string): Promise<void> {
    try {
      this.#wake(await this.#deps.central.commit('park', (tx) => FREE.all(tx, { agentId })));
    } catch (error) {
      this.#deps.log.error('what waits for a quota was not tried at once', { error: errorText(error) });
    }
  }
}
