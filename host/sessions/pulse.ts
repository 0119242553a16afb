/** The times of an awake session: the look behind the bell, how long a lock is borne, since when nothing was to do. */
import { LIMITS } from '@halfdoor/protocol/limits';
import type { Clock, Timer } from '../clock.ts';
import { isLifeless, pollDelayMs, type StopReason } from './decide.ts';

type Deps = {
  clock: Clock;
  /** Whether a message is open. */
  isBusy(): boolean;
  /** The run's last beat that was seen; null before the first. */
  beat(): number | null;
  look(): void;
  end(reason: StopReason): void;
};

export class Pulse {
  readonly #deps: Deps;
  #poll: Timer | null = null;
  #lockedSince: number | null = null;
  #idleSince = 0;
  #beat: number | null = null;
  /** How long the beat has stood still, in waits of our own: a clock can be set, and a machine can sleep with all its runs. */
  #silentMs = 0;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  get idleSince(): number {
    return this.#idleSince;
  }

  get isLocked(): boolean {
    return this.#lockedSince !== null;
  }

  /** A run has begun. */
  start(): void {
    this.#lockedSince = null;
    this.#beat = null;
    this.#silentMs = 0;
    this.worked();
    this.#schedule();
  }

  stop(): void {
    this.#poll?.cancel();
    this.#poll = null;
  }

  worked(): void {
    this.#idleSince = this.#now();
  }

  /**
   * After something that needs a lock: not done, it is tried again in a few milliseconds, and past five seconds the run
   * ends. Returns `done`.
   */
  after(done: boolean): boolean {
    if (done) {
      this.#lockedSince = null;
      return true;
    }
    const now = this.#now();
    this.#lockedSince ??= now;
    if (now - this.#lockedSince > LIMITS.lockedMs) this.#deps.end('locked');
    this.#deps.clock.after(LIMITS.bellPauseMs, () => this.#deps.look());
    return false;
  }

  /** Looks anyway, and at the beat; slower when nothing is under way. */
  #schedule(): void {
    this.#poll?.cancel();
    const waitMs = pollDelayMs(this.#deps.isBusy());
    this.#poll = this.#deps.clock.after(waitMs, () => {
      const beat = this.#deps.beat();
      this.#silentMs = beat === this.#beat ? this.#silentMs + waitMs : 0;
      this.#beat = beat;
      if (isLifeless(this.#silentMs)) this.#deps.end('lifeless');
      else if (!this.#deps.isBusy() && this.#now() - this.#idleSince > LIMITS.idleSandboxMs) this.#deps.end('idle');
      this.#deps.look();
      this.#schedule();
    });
  }

  #now(): number {
    return this.#deps.clock.now().getTime();
  }
}
