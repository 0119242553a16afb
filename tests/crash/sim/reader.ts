/** The reader's side in process: the very code of the reader process opens the files; the answer takes a while. */
import { OutboundFiles } from '../../../host/outbound/outbound-files.ts';
import { readPiece } from '../../../host/files/piece.ts';
import type { OutboundReader, PieceAt, PieceResult, ReadResult } from '../../../host/outbound/reader.ts';
import { never, type Life } from './life.ts';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';

type Deps = {
  scheduler: Scheduler;
  random: Random;
  out: string;
  fingerprints: Record<string, string>;
  troublePercent(): number;
  /** Whether a transaction was cut off in this session's file and nobody has taken it back yet. */
  isHot(session: string): boolean;
};

const READ_MS = 2;

export class SimReader implements OutboundReader {
  readonly walled = true;
  readonly #life: Life;
  readonly #deps: Deps;
  readonly #files: OutboundFiles;
  readonly #sessions = new Set<string>();

  constructor(life: Life, deps: Deps) {
    this.#life = life;
    this.#deps = deps;
    this.#files = new OutboundFiles({ root: deps.out, fingerprints: deps.fingerprints });
    life.onEnd(() => this.#closeAll());
  }

  read(session: string, cursor: number): Promise<ReadResult> {
    if (this.#life.ended) return never();
    return new Promise((resolve) => {
      this.#deps.scheduler.later(this.#life, 'reader', READ_MS, 'reads', () => resolve(this.#answer(session, cursor)));
    });
  }

  piece(session: string, name: string, at: PieceAt): Promise<PieceResult> {
    if (this.#life.ended) return never();
    const { scheduler, out } = this.#deps;
    return new Promise((resolve) => {
      scheduler.later(this.#life, 'reader', READ_MS, 'reads a file', () => {
        const said = readPiece(out, session, name, at);
        resolve(said.ok ? { ...said, bytes: Buffer.from(said.data, 'base64') } : said);
      });
    });
  }

  #answer(session: string, cursor: number): ReadResult {
    const { random, troublePercent, isHot } = this.#deps;
    const locked = random.chance(troublePercent());
    if (isHot(session)) return { ok: false, failure: 'hot-journal', detail: 'a transaction was cut off' };
    if (locked) return { ok: false, failure: 'locked', detail: 'somebody holds a lock' };
    this.#sessions.add(session);
    return this.#files.answer(session, cursor);
  }

  forget(session: string): void {
    this.#sessions.delete(session);
    this.#files.forget(session);
  }

  close(): Promise<void> {
    this.#closeAll();
    return Promise.resolve();
  }

  #closeAll(): void {
    for (const session of [...this.#sessions]) this.forget(session);
  }
}
