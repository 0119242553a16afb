/**
 * What a session's run has written, read through the reader process and collected. Also notes the signs of life, which
 * come with every read. Decides nothing about the run: it says what it saw.
 */
import { parseHeartbeat, parseProgress, type Heartbeat } from '@halfdoor/protocol/host';
import { LIMITS } from '@halfdoor/protocol/limits';
import type { Clock } from '../clock.ts';
import { collect, HostileRows, type Collected } from '../outbound/collect.ts';
import type { OutboundReader, ReadFailure, ReadResult } from '../outbound/reader.ts';
import type { CollectDeps, CollectedFrom } from '../outbound/settle.ts';
import type { Signals } from '../signals.ts';

export type WatchDeps = CollectDeps & { clock: Clock; reader: OutboundReader; signals: Signals };

/** `again`: somebody holds a lock, look again soon. `spoiled`: the file is not what the host made, or over its limit. */
export type Looked =
  | { seen: 'all' }
  | { seen: 'again' }
  | { seen: 'spoiled'; as: 'hostile-file' | 'too-large'; detail: string };

/**
 * What is done when the file cannot be read: `recover` has what was cut off taken back, once; false: in vain. `locked`:
 * past five seconds somebody outside still holds it; false gives up.
 */
export type Trouble = { recover(): Promise<boolean>; locked(): Promise<boolean> };

export class Watch {
  readonly #deps: WatchDeps;
  readonly #from: CollectedFrom;
  readonly #onCollected: (collected: Collected) => Promise<void>;
  #cursor = 0;
  #run = 0;
  #heartbeat: Heartbeat | null = null;
  #progress = '';
  #refused = 0;

  constructor(deps: WatchDeps, from: CollectedFrom, onCollected: (collected: Collected) => Promise<void>) {
    this.#deps = deps;
    this.#from = from;
    this.#onCollected = onCollected;
  }

  /** A run begins, or what one left is about to be read. */
  begin(run: number, cursor: number): void {
    this.#run = run;
    this.#cursor = cursor;
    this.#heartbeat = null;
    this.#progress = '';
    this.#refused = 0;
  }

  get cursor(): number {
    return this.#cursor;
  }

  get heartbeat(): Heartbeat | null {
    return this.#heartbeat;
  }

  /** Collects everything that is there now. */
  async look(): Promise<Looked> {
    for (;;) {
      const read = await this.#deps.reader.read(this.#from.sessionId, this.#cursor);
      if (!read.ok) return this.#failed(read.failure, read.detail);
      const looked = await this.#take(read);
      if (looked !== null) return looked;
    }
  }

  /** The last look after a run: nothing is decided before all it has written is read, or cannot be. */
  async lastLook(trouble: Trouble): Promise<Looked> {
    let late = false;
    const limit = this.#deps.clock.after(LIMITS.lockedMs, () => (late = true));
    try {
      return await this.#readAll(trouble, () => late);
    } finally {
      limit.cancel();
    }
  }

  async #readAll({ recover, locked }: Trouble, isLate: () => boolean): Promise<Looked> {
    let recovered = false;
    for (;;) {
      const read = await this.#deps.reader.read(this.#from.sessionId, this.#cursor);
      if (read.ok) {
        const looked = await this.#take(read);
        if (looked !== null) return looked;
      } else if (read.failure === 'hot-journal' && !recovered) {
        recovered = true;
        if (!(await recover())) return spoiled('refused', 'a cut-off transaction in it cannot be taken back');
      } else if (isPassing(read.failure) && (!isLate() || (read.failure === 'locked' && (await locked())))) {
        const waitMs = isLate() ? LIMITS.bellPollMs : LIMITS.bellPauseMs;
        await new Promise<void>((resolve) => this.#deps.clock.after(waitMs, resolve));
      } else {
        const looked = this.#failed(read.failure, read.detail);
        return looked.seen === 'again' ? spoiled('refused', read.detail) : looked;
      }
    }
  }

  /** Null when there may be more. */
  async #take(read: ReadResult & { ok: true }): Promise<Looked | null> {
    this.#note(read);
    if (read.messages.length + read.acks.length === 0) return { seen: 'all' };
    try {
      const collected = await collect(this.#deps, this.#from, this.#cursor, read);
      this.#cursor = collected.cursor;
      this.#refused += collected.refused.length;
      await this.#onCollected(collected);
      this.#deps.signals.emit('traffic', { sessionId: this.#from.sessionId });
    } catch (error) {
      if (error instanceof HostileRows) return spoiled('refused', error.message);
      throw error;
    }
    // Each costs central three rows and is told to the agent: a file holds a hundred thousand of them.
    if (this.#refused > LIMITS.refusedRowsPerRun) return spoiled('refused', `${this.#refused} rows were refused`);
    return Math.max(read.messages.length, read.acks.length) < LIMITS.collectRows ? { seen: 'all' } : null;
  }

  #failed(failure: ReadFailure, detail: string): Looked {
    if (isPassing(failure)) return { seen: 'again' };
    // Under a live run this is the runner's own commit at an unlucky moment: it rings when it is done. A journal that
    // stays hot keeps the heartbeat from being read, and the run ends as lifeless.
    if (failure === 'hot-journal' || failure === 'gone') return { seen: 'all' };
    return spoiled(failure, detail);
  }

  #note(read: ReadResult & { ok: true }): void {
    const heartbeat = parseHeartbeat(read.heartbeat);
    if (heartbeat?.run === this.#run) this.#heartbeat = heartbeat;
    // A line that comes with acks tells of a turn that is answered by now.
    if (read.acks.length > 0 || read.progress === this.#progress) return;
    this.#progress = read.progress;
    const progress = parseProgress(read.progress);
    if (progress?.run === this.#run) this.#deps.signals.emit('progress', { ...this.#from, progress });
  }
}

const isPassing = (failure: ReadFailure): boolean => failure === 'locked' || failure === 'timeout';

const spoiled = (failure: ReadFailure, detail: string): Looked => ({
  seen: 'spoiled',
  as: failure === 'too-large' ? 'too-large' : 'hostile-file',
  detail,
});
