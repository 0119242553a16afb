/**
 * Memory, open files and disk of what is awake, where no control group holds them. The machine is asked four times a
 * second whether it has become less, which costs next to nothing; each sandbox is looked into when it has, and every few
 * seconds anyway. With nothing awake there is no timer.
 */
import { readFileSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { LIMITS } from '@halfdoor/protocol/limits';
import type { Clock, Timer } from '../clock.ts';
import { sessionPaths, type Home } from '../home.ts';
import { errorText, type Log } from '../log.ts';
import { diskUsage, type DiskUsage } from '../sandboxes/disk-usage.ts';
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
const LOOK_MS = 250;
const MEMORY = { by: 64 * MIB, everyMs: 5_000 };
const DISK = { by: 64 * MIB, everyMs: 60_000 };
const ENTRIES = { by: 10_000, everyMs: 60_000 };

export class Watchdog {
  readonly #deps: WatchdogDeps;
  readonly #memory = new Level(MEMORY);
  readonly #room = new Level(DISK);
  readonly #entries = new Level(ENTRIES);
  /** What was left on the disk by a run that was ended for it, and the run that has taken that over. */
  readonly #left = new Map<string, { pid: number; usage: DiskUsage }>();
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
      if (this.#left.has(sessionId)) this.#room.forget();
      this.#schedule();
    });
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
          if (this.#deps.awake().length > 0) this.#schedule();
          else this.#ended.clear();
        });
    });
  }

  async #look(): Promise<void> {
    const now = this.#deps.clock.now().getTime();
    const { bavail, bsize, files, ffree } = statfsSync(this.#deps.home.root);
    const low = this.#room.sank(bavail * bsize, now);
    const many = this.#entries.sank(files === 0 ? 0 : ffree, now);
    if ((low || many) && !this.#walking) void this.#walkAll();
    if (!this.#memory.sank(availableBytes(), now)) return;
    for (const it of this.#live()) await this.#lookInto(it);
  }

  #live(): Awake[] {
    return this.#deps.awake().filter(({ pid }) => !this.#ended.has(pid));
  }

  async #lookInto(it: Awake): Promise<void> {
    const proc = procInside(it.pid);
    if (proc === null) return;
    const rough = roughly(proc);
    // One that is near is looked at again at once.
    if (rough.memoryBytes > LIMITS.memoryBytes / 2) this.#memory.forget();
    if (excessOf(rough) === null) return;
    const excess = excessOf({ memoryBytes: await memoryInside(proc), openFiles: openFilesInside(proc) });
    if (excess !== null) this.#end(it, excess);
  }

  async #walkAll(): Promise<void> {
    this.#walking = true;
    try {
      for (const it of this.#live()) await this.#walk(it);
    } catch (error) {
      this.#deps.log.warn('the disk was not looked at', { error: errorText(error) });
    } finally {
      this.#walking = false;
    }
  }

  async #walk(it: Awake): Promise<void> {
    const { work, out } = sessionPaths(this.#deps.home, it.sessionId);
    const shown = await diskUsage([work, join(out, 'files')]);
    if (shown === null) return;
    const proc = procInside(it.pid);
    const hidden = proc === null ? 0 : await deletedInside(proc, statSync(work).dev);
    const usage = { ...shown, bytes: shown.bytes + hidden };
    const left = this.#left.get(it.sessionId);
    // The first look into a run that took over what was left is what it may go on with.
    if (left && left.pid !== it.pid) this.#left.set(it.sessionId, { pid: it.pid, usage });
    if (!isDiskExcess(usage, null)) this.#left.delete(it.sessionId);
    if (!isDiskExcess(usage, this.#left.get(it.sessionId)?.usage ?? null)) return;
    this.#left.set(it.sessionId, { pid: it.pid, usage });
    this.#end(it, 'disk-limit');
  }

  #end(it: Awake, excess: Excess): void {
    if (!this.#live().some(({ pid }) => pid === it.pid)) return;
    this.#ended.add(it.pid);
    this.#deps.log.warn('a run took more than it may', { session: it.sessionId, limit: excess });
    this.#deps.end(it, excess);
  }
}

/** What can be had without swapping, and what can be swapped (proc(5)). */
function availableBytes(): number {
  const text = readFileSync('/proc/meminfo', 'utf8');
  const of = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
  return (of('MemAvailable') + of('SwapFree')) * 1024;
}
