/**
 * The times of an awake session: the look behind the bell, how long a lock is borne, since when nothing was to do. All
 * are counted in waits of our own: a clock can be set, and a machine can sleep with all its runs.
 */
import { LIMITS } from '@halfdoor/protocol/limits';
import type { Clock, Timer } from '../clock.ts';
import { Held } from './held.ts';
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
  /** Each by itself: one that can be read says nothing of one that cannot be written. */
  readonly #held: Readonly<Record<'inbound' | 'outbound', Held>>;
  #poll: Timer | null = null;
  #idleSince = 0;
  #idleMs = 0;
  #workMs = 0;
  #unheededMs = 0;
  #beat: number | null = null;
  /** How long the beat has stood still. */
  #silentMs = 0;

  constructor(deps: Deps) {
    this.#deps = deps;
    const held = (): Held => new Held(deps.clock, () => deps.look());
    this.#held = { inbound: held(), outbound: held() };
  }

  /** Since when nothing was to do, on the host's clock: good enough to say who has rested longest. */
  get idleSince(): number {
    return this.#idleSince;
  }

  /** Whether inbound.db may be tried now. */
  get mayProject(): boolean {
    return this.#held.inbound.isDue;
  }

  /** A run has begun. */
  start(): void {
    for (const it of Object.values(this.#held)) it.clear();
    this.#beat = null;
    this.#silentMs = 0;
    this.#unheededMs = 0;
    this.worked();
    this.#schedule();
  }

  stop(): void {
    this.#poll?.cancel();
    this.#poll = null;
    for (const it of Object.values(this.#held)) it.clear();
  }

  worked(): void {
    this.#idleSince = this.#deps.clock.now().getTime();
    this.#idleMs = 0;
    this.#workMs = 0;
  }

  /** After something that needs a lock: not done, there is a look in a few milliseconds, and past five seconds the run ends. Returns `done`. */
  tried(file: 'inbound' | 'outbound', done: boolean): boolean {
    const wasHeld = this.#isAnyHeld;
    this.#held[file].tried(done);
    if (!wasHeld && !done) this.#schedule();
    return done;
  }

  get #isAnyHeld(): boolean {
    return Object.values(this.#held).some((it) => it.isHeld);
  }

  /** Looks anyway, and at the beat; slower when nothing is under way. */
  #schedule(): void {
    this.#poll?.cancel();
    const waitMs = this.#isAnyHeld ? LIMITS.bellPollMs : pollDelayMs(this.#deps.isBusy());
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
    const over = Object.values(this.#held).filter((it) => it.waited(waitMs));
    this.#idleMs = isBusy() ? 0 : this.#idleMs + waitMs;
    // Told before it was ready, it has not heard of it yet.
    this.#unheededMs = isHeeded() || seen === null ? 0 : this.#unheededMs + waitMs;
    const before = this.#workMs;
    this.#workMs = isBusy() ? before + waitMs : 0;
    if (before < LIMITS.longWorkMs && this.#workMs >= LIMITS.longWorkMs) tooLong();
    if (isLifeless(this.#silentMs)) end(seen === null ? 'unready' : 'lifeless');
    else if (over.length > 0) end('locked');
    else if (isUnheeded(this.#unheededMs)) end('unheeded');
    else if (this.#idleMs > LIMITS.idleSandboxMs) end('idle');
  }
}
