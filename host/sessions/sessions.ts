/** All sessions that are not simply asleep: an actor each. Asleep means no actor, no process, no handle, no timer. */
import { readdirSync } from 'node:fs';
import { LIMITS } from '@halfdoor/protocol/limits';
import type { NewInbound, Receipt } from '@halfdoor/protocol/message';
import type { SessionState } from '../api/contract.ts';
import { place } from '../files/inbox.ts';
import type { ToEnqueue } from '../inbound/dispatch.ts';
import { errorText } from '../log.ts';
import { Actor } from './actor.ts';
import type { ActorDeps } from './deps.ts';
import { DueTimer } from './due-timer.ts';
import type { Awake, Excess } from './excess.ts';
import { discardSessionFolder } from './folder.ts';
import { Slots } from './slots.ts';

export type SessionsDeps = Omit<ActorDeps, 'slots' | 'onAsleep' | 'onParked'>;

export class Sessions {
  readonly #deps: ActorDeps;
  readonly #due: DueTimer;
  readonly #actors = new Map<string, Actor>();
  /** Sessions that ended and whose folder is still there, with who waits for it to go. */
  readonly #ended = new Map<string, (() => void)[]>();
  #closing: (() => void) | null = null;

  constructor(deps: SessionsDeps) {
    const slots = new Slots(
      LIMITS.awakeSandboxes,
      () => this.#evictIdle(),
      (waiting) => this.#tellPlaces(waiting),
    );
    const onParked = (): void => void this.#due.look();
    this.#deps = { ...deps, slots, onParked, onAsleep: (id, actor) => this.#onAsleep(id, actor) };
    this.#due = new DueTimer({ ...deps, wake: (sessionId, agentId) => this.#actor(sessionId, agentId).revive(false) });
  }

  enqueue(items: ToEnqueue[]): void {
    if (this.#closing) return;
    for (const { sessionId, agentId, message } of items) {
      this.#place(sessionId, agentId, message);
      this.#actor(sessionId, agentId).enqueue([message]);
      this.#deps.signals.emit('traffic', { sessionId });
    }
  }

  /** What cannot be given to the run that is awake waits with its message for the next, which says why if it cannot start. */
  #place(sessionId: string, agentId: string, message: NewInbound): void {
    try {
      place(this.#deps.home, sessionId, [message]);
    } catch (error) {
      this.#deps.log.warn('attachments not placed', { session: sessionId, error: errorText(error) });
      this.#actor(sessionId, agentId).renew('renewed');
    }
  }

  /**
   * A clean start, or the end of their agent, ended these: their runs stop, what they said is collected, their folders
   * go. Resolves when all are gone.
   */
  async end(items: { sessionId: string; agentId: string }[]): Promise<void> {
    const gone = items.map(({ sessionId, agentId }) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#ended.set(sessionId, [...(this.#ended.get(sessionId) ?? []), resolve]);
      this.#actor(sessionId, agentId).stop('ended');
      return promise;
    });
    // What they worked on may be another's now. When the host ends there may be nothing left to ask.
    if (items.length > 0) void this.#deps.folders.offer().catch(() => undefined);
    await Promise.all(gone);
  }

  /** What this agent is made of has changed: its next runs have it, and none of its messages is lost by that. */
  renew(agentId: string): void {
    for (const actor of this.#actors.values()) if (actor.from.agentId === agentId) actor.renew('renewed');
    void this.#due.free(agentId);
  }

  /** What this session's runs are made of has changed: `revoked` ends one at once, `renewed` when its work is settled. */
  renewSession(sessionId: string, reason: 'renewed' | 'revoked'): void {
    this.#actors.get(sessionId)?.renew(reason);
  }

  /** Ends the run of a session, if it has one; what is open starts the next. */
  stop(sessionId: string): void {
    this.#actors.get(sessionId)?.stop('stopped');
  }

  /** As `stop`, for a run that took more than it may; counts as a try of what it worked on. */
  exceeded(sessionId: string, excess: Excess): void {
    this.#actors.get(sessionId)?.stop(excess);
  }

  /** What runs now, also what is being stopped, with the process that each was started as. */
  awake(): Awake[] {
    return [...this.#actors.values()].flatMap(({ from, pid }) => (pid === null ? [] : [{ ...from, pid }]));
  }

  receipt(sessionId: string, receipt: Receipt): void {
    this.#actors.get(sessionId)?.receipt(receipt);
    this.#deps.signals.emit('traffic', { sessionId });
  }

  state(sessionId: string): { state: SessionState; place: number | null; pid: number | null } {
    const actor = this.#actors.get(sessionId);
    return { state: actor?.state ?? 'asleep', place: this.#deps.slots.place(sessionId), pid: actor?.pid ?? null };
  }

  counts(): { awake: number; waiting: number } {
    return { awake: this.#deps.slots.used, waiting: this.#deps.slots.waiting };
  }

  /** At start: runs that were never seen to end, open work, and folders of sessions that ended. */
  async recover(): Promise<void> {
    const db = this.#deps.central.read;
    const left = await db
      .selectFrom('runs')
      .innerJoin('sessions', 'sessions.id', 'runs.session_id')
      .select(['sessions.id', 'agent_id', 'sessions.ended_at'])
      .distinct()
      .where('runs.ended_at', 'is', null)
      .execute();
    const open = await db
      .selectFrom('dispatches')
      .select(['session_id as id', 'agent_id'])
      .distinct()
      .where('state', '=', 'open')
      .where('wakes', '=', 1)
      .where('due_at', 'is', null)
      .execute();
    const ended = await db
      .selectFrom('sessions')
      .select(['id', 'agent_id'])
      .where('ended_at', 'is not', null)
      .where('removed_at', 'is', null)
      .execute();
    for (const { id } of ended) this.#ended.set(id, []);
    for (const row of left) this.#actor(row.id, row.agent_id).revive(true);
    const known = new Set(left.map((row) => row.id));
    for (const row of open) if (!known.has(row.id)) this.#actor(row.id, row.agent_id).revive(false);
    for (const row of ended) if (!known.has(row.id)) this.#actor(row.id, row.agent_id).stop('ended');
    await this.#due.look();
  }

  /** Removes folders that no row names: made for a session whose accept never committed. */
  async sweepFolders(): Promise<number> {
    const rows = await this.#deps.central.read
      .selectFrom('sessions')
      .select('id')
      .where('removed_at', 'is', null)
      .execute();
    const known = new Set(rows.map((row) => row.id));
    const strays = readdirSync(this.#deps.home.sessions).filter((id) => !known.has(id));
    for (const id of strays) discardSessionFolder(this.#deps.home, this.#deps.trash, id);
    return strays.length;
  }

  /**
   * Stops every run and waits until all are gone and collected, at most `ms` milliseconds: with a full disk they never
   * are. Nothing wakes here afterwards. What is left then is left to the next start.
   */
  close(ms: number): Promise<void> {
    this.#due.close();
    return new Promise((resolve) => {
      const limit = this.#deps.clock.after(ms, () => {
        if (this.#actors.size > 0) this.#deps.log.warn('not all sessions ended in time', { left: this.#actors.size });
        resolve();
      });
      this.#closing = () => {
        limit.cancel();
        resolve();
      };
      for (const actor of this.#actors.values()) actor.stop('shutdown');
      if (this.#actors.size === 0) this.#closing();
    });
  }

  #actor(sessionId: string, agentId: string): Actor {
    let actor = this.#actors.get(sessionId);
    if (!actor) {
      actor = new Actor(this.#deps, sessionId, agentId);
      this.#actors.set(sessionId, actor);
    }
    return actor;
  }

  /** One that was forgotten may still be rung, and comes to rest once more: by then another may stand in its place. */
  #onAsleep(sessionId: string, actor: object): void {
    if (this.#actors.get(sessionId) !== actor) return;
    this.#actors.delete(sessionId);
    const waiting = this.#ended.get(sessionId);
    this.#ended.delete(sessionId);
    if (waiting) void this.#remove(sessionId).finally(() => waiting.forEach((gone) => gone()));
    if (this.#closing && this.#actors.size === 0) this.#closing();
  }

  /** Never rejects: what is left is removed at the next start. */
  async #remove(sessionId: string): Promise<void> {
    const { home, trash, central, log, now } = this.#deps;
    try {
      discardSessionFolder(home, trash, sessionId);
      const removed_at = now();
      await central.commit('end-session', (tx) =>
        tx.updateTable('sessions').set({ removed_at }).where('id', '=', sessionId).execute(),
      );
      await trash.empty();
    } catch (error) {
      log.warn('session folder not removed', { session: sessionId, error: errorText(error) });
    }
  }

  #tellPlaces(waiting: readonly string[]): void {
    for (const [at, sessionId] of waiting.entries()) {
      const actor = this.#actors.get(sessionId);
      if (actor) this.#deps.signals.emit('place', { ...actor.from, n: at + 1, of: waiting.length });
    }
  }

  /** Of those that are awake with nothing to do, the one that has been so for longest gives its slot away. */
  #evictIdle(): void {
    const idle = [...this.#actors.values()].filter((actor) => actor.idleSince !== null);
    idle.sort((a, b) => (a.idleSince ?? 0) - (b.idleSince ?? 0));
    idle[0]?.stop('evicted');
  }
}
