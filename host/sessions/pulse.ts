/**
 * The times of an awake session: the look behind the bell, how long a lock is borne, since when nothing was to do. All
 * are counted in waits of our own: a clock can be set, and a machine can sleep with all its runs.
 */
import { LIMITS } from '@halfdoor/protocol/limits';
import type { Clock, Timer } from '../clock.ts';
import { isLifeless, isUnheeded, pollDelayMs, type StopReason } from './decide.ts';

type Deps = {
  clock: Clock;
  /** Whether a message is open. */
  isBusy(): boolean;
  /** Whether nobody waits for the run to stop what it does. */
  isHeeded(): boolean;
  /** The run's last beat that was seen; null before the first. */
  beat(): number | null;
  look(): void;
  end(reason: StopReason): void;
  /** It has been at work for hours without settling anything. Called once for each such stretch. */
  tooLong(): void;
};

export class Pulse {
  readonly #deps: Deps;
  #poll: Timer | null = null;
  #isLocked = false;
  #lockedMs = 0;
  #idleSince = 0;
  #idleMs = 0;
  #workMs = 0;
  #unheededMs = 0;
  #beat: number | null = null;
  /** How long the beat has stood still. */
  #silentMs = 0;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Since when nothing was to do, on the host's clock: good enough to say who has rested longest. */
  get idleSince(): number {
    return this.#idleSince;
  }

  get isLocked(): boolean {
    return this.#isLocked;
  }

  /** A run has begun. */
  start(): void {
    this.#isLocked = false;
    this.#beat = null;
    this.#silentMs = 0;
    this.#unheededMs = 0;
    this.worked();
    this.#schedule();
  }

  stop(): void {
    this.#poll?.cancel();
    this.#poll = null;
  }

  worked(): void {
    this.#idleSince = this.#deps.clock.now().getTime();
    this.#idleMs = 0;
    this.#workMs = 0;
  }

  /**
   * After something that needs a lock: not done, it is tried again in a few milliseconds, and past five seconds the run
   * ends. Returns `done`.
   */
  after(done: boolean): boolean {
    if (done) {
      this.#isLocked = false;
      return true;
    }
    if (!this.#isLocked) {
      this.#isLocked = true;
      this.#lockedMs = 0;
      this.#schedule();
    }
    this.#deps.clock.after(LIMITS.bellPauseMs, () => this.#deps.look());
    return false;
  }

  /** Looks anyway, and at the beat; slower when nothing is under way. */
  #schedule(): void {
    this.#poll?.cancel();
    const waitMs = this.#isLocked ? LIMITS.bellPollMs : pollDelayMs(this.#deps.isBusy());
    this.#poll = this.#deps.clock.after(waitMs, () => {
      this.#count(waitMs);
      this.#deps.look();
      this.#schedule();
    });
  }

  #count(waitMs: number): void {
    const { beat, isBusy, isHeeded, end, tooLong } = this.#deps;
    const seen = beat();
    this.#silentMs = seen === this.#beat ? this.#silentMs + waitMs : 0;
    this.#beat = seen;
    this.#lockedMs += this.#isLocked ? waitMs : 0;
    this.#idleMs = isBusy() ? 0 : this.#idleMs + waitMs;
    // Told before it was ready, it has not heard of it yet.
    this.#unheededMs = isHeeded() || seen === null ? 0 : this.#unheededMs + waitMs;
    const before = this.#workMs;
    this.#workMs = isBusy() ? before + waitMs : 0;
    if (before < LIMITS.longWorkMs && this.#workMs >= LIMITS.longWorkMs) tooLong();
    if (isLifeless(this.#silentMs)) end(seen === null ? 'unready' : 'lifeless');
    else if (this.#isLocked && this.#lockedMs > LIMITS.lockedMs) end('locked');
    else if (isUnheeded(this.#unheededMs)) end('unheeded');
    else if (this.#idleMs > LIMITS.idleSandboxMs) end('idle');
  }
}
