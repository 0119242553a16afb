/**
 * Memory, open files and disk of what is awake, where no control group holds them. The machine is asked twice a
 * second whether it has become less, which costs next to nothing; each sandbox is looked into when it has, and every few
 * seconds anyway. With nothing awake there is no timer.
 */
import { statfsSync, statSync } from 'node:fs';
import { freemem } from 'node:os';
import { LIMITS } from '@halfdoor/protocol/limits';
import type { Clock, Timer } from '../clock.ts';
import { sessionPaths, type Home } from '../home.ts';
import { errorText, type Log } from '../log.ts';
import { diskUsage, type Unit } from '../sandboxes/disk-usage.ts';
import { deletedInside, memoryInside, openFilesInside, procInside, roughly } from '../sandboxes/inside.ts';
import type { Signals } from '../signals.ts';
import { excessOf, isDiskExcess, type Awake, type Excess } from './excess.ts';
import { Level } from './level.ts';

export type WatchdogDeps = {
  clock: Clock;
  log: Log;
  home: Home;
  signals: Signals;
  awake(): Awake[];
  /** Ends the run and tells its agent. */
  end(it: Awake, excess: Excess): void;
};

const MIB = 1024 * 1024;
const LOOK_MS = 500;
const COUNT_MS = 5_000;
const MEMORY = { by: 256 * MIB, everyMs: 5_000 };
const DISK = { by: 128 * MIB, everyMs: 60_000 };
const ENTRIES = { by: 10_000, everyMs: 60_000 };

export class Watchdog {
  readonly #deps: WatchdogDeps;
  readonly #memory = new Level(MEMORY);
  readonly #room = new Level(DISK);
  readonly #entries = new Level(ENTRIES);
  /** What was left on the disk by a run that was ended for it, and the run that has taken that over. */
  readonly #left: Record<Unit, Map<string, { pid: number; usage: number }>> = { bytes: new Map(), entries: new Map() };
  /** Of each run its /proc; null where it has no wall. */
  readonly #procs = new Map<number, string | null>();
  /** Runs that were ended here; they may still be seen for a moment. */
  readonly #ended = new Set<number>();
  #timer: Timer | null = null;
  #walking = false;
  #closed = false;
  readonly #silence: () => void;

  constructor(deps: WatchdogDeps) {
    this.#deps = deps;
    this.#silence = deps.signals.on('session', ({ sessionId, state }) => {
      if (state !== 'awake') return;
      // What it begins with must be known before it writes.
      if (this.#left.bytes.has(sessionId)) this.#room.forget();
      if (this.#left.entries.has(sessionId)) this.#entries.forget();
      this.#schedule();
    });
    // What is awake already has no sign left to give.
    this.#schedule();
  }

  close(): void {
    this.#closed = true;
    this.#silence();
    this.#timer?.cancel();
  }

  #schedule(): void {
    if (this.#timer !== null || this.#closed) return;
    this.#timer = this.#deps.clock.after(LOOK_MS, () => {
      void this.#look()
        .catch((error: unknown) => this.#deps.log.warn('limits not looked at', { error: errorText(error) }))
        .finally(() => {
          this.#timer = null;
          this.#forgetRuns();
          if (this.#deps.awake().length > 0) this.#schedule();
        });
    });
  }

  /** A number that is free again may be another run's next. */
  #forgetRuns(): void {
    const awake = new Set(this.#deps.awake().map(({ pid }) => pid));
    for (const pid of this.#ended) if (!awake.has(pid)) this.#ended.delete(pid);
    for (const pid of this.#procs.keys()) if (!awake.has(pid)) this.#procs.delete(pid);
  }

  #procOf(pid: number): string | null {
    const known = this.#procs.get(pid);
    if (known !== undefined) return known;
    const proc = procInside(pid);
    this.#procs.set(pid, proc);
    return proc;
  }

  async #look(): Promise<void> {
    const now = this.#deps.clock.now().getTime();
    const { bavail, bsize, files, ffree } = statfsSync(this.#deps.home.root);
    const low = this.#room.sank(bavail * bsize, now);
    const many = this.#entries.sank(files === 0 ? 0 : ffree, now);
    const units: readonly Unit[] = [...(low ? ['bytes' as const] : []), ...(many ? ['entries' as const] : [])];
    if (units.length > 0 && !this.#walking) void this.#walkAll(units);
    if (!this.#memory.sank(freemem(), now)) return;
    for (const it of this.#live()) await this.#lookInto(it);
  }

  #live(): Awake[] {
    return this.#deps.awake().filter(({ pid }) => !this.#ended.has(pid));
  }

  async #lookInto(it: Awake): Promise<void> {
    const proc = this.#procOf(it.pid);
    if (proc === null) return;
    const rough = roughly(proc);
    // One that is near is looked at again at once.
    if (rough.memoryBytes > LIMITS.memoryBytes / 2) this.#memory.forget();
    if (excessOf(rough) === null) return;
    const excess = excessOf({ memoryBytes: await this.#memoryIn(proc), openFiles: openFilesInside(proc) });
    if (excess !== null) this.#end(it, excess);
  }

  /** What keeps us from counting, after more than enough was seen, is not waited for: the others must be looked at. */
  #memoryIn(proc: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const limit = this.#deps.clock.after(COUNT_MS, () => resolve(Infinity));
      memoryInside(proc)
        .then(resolve, reject)
        .finally(() => limit.cancel());
    });
  }

  async #walkAll(units: readonly Unit[]): Promise<void> {
    this.#walking = true;
    try {
      for (const unit of units) await this.#walk(unit);
    } catch (error) {
      this.#deps.log.warn('the disk was not looked at', { error: errorText(error) });
    } finally {
      this.#walking = false;
    }
  }

  async #walk(unit: Unit): Promise<void> {
    const live = this.#live();
    const folders = live.flatMap(({ sessionId }) => {
      const { work, out } = sessionPaths(this.#deps.home, sessionId);
      return [work, out];
    });
    const told = await diskUsage(folders, unit);
    for (const [n, it] of live.entries()) {
      const shown = sumOf(told.slice(2 * n, 2 * n + 2));
      if (shown !== null) await this.#judge(it, unit, shown);
      else this.#deps.log.warn('the disk of a session could not be looked at', { session: it.sessionId });
    }
  }

  async #judge(it: Awake, unit: Unit, shown: number): Promise<void> {
    const proc = this.#procOf(it.pid);
    const device = statSync(sessionPaths(this.#deps.home, it.sessionId).work).dev;
    const hidden = proc === null || unit !== 'bytes' ? 0 : await deletedInside(proc, device);
    const usage = shown + hidden;
    const left = this.#left[unit].get(it.sessionId);
    // The first look into a run that took over what was left is what it may go on with.
    if (left && left.pid !== it.pid) left.usage = usage;
    if (left) left.pid = it.pid;
    if (!isDiskExcess(unit, usage, 0)) this.#left[unit].delete(it.sessionId);
    if (!isDiskExcess(unit, usage, left?.usage ?? 0)) return;
    this.#left[unit].set(it.sessionId, { pid: it.pid, usage });
    this.#end(it, 'disk-limit');
  }

  #end(it: Awake, excess: Excess): void {
    if (!this.#live().some(({ pid }) => pid === it.pid)) return;
    this.#ended.add(it.pid);
    this.#deps.log.warn('a run took more than it may', { session: it.sessionId, limit: excess });
    this.#deps.end(it, excess);
  }
}

/** Null when one of them could not be told, unless another has no end. */
function sumOf(each: readonly (number | null)[]): number | null {
  if (each.includes(Infinity)) return Infinity;
  return each.reduce((sum, it) => (sum === null || it === null ? null : sum + it), 0);
}
