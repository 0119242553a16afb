/**
 * The reader, and a second one while it is needed: a session that once kept the reader past its deadline is asked of the
 * second from then on, so that nobody else waits behind it again.
 */
import type { Failed } from './answer.ts';
import { startReaderProcess, type ReaderDeps } from './reader-process.ts';
import type { OutboundReader, PieceAt, PieceResult, ReadResult } from './reader.ts';

/** Throws what keeps the first one from starting. */
export function startReader(deps: ReaderDeps): OutboundReader {
  return new Readers(deps);
}

class Readers implements OutboundReader {
  readonly walled: boolean;
  readonly #deps: ReaderDeps;
  readonly #first: OutboundReader;
  #second: OutboundReader | null = null;
  /** Sessions of the second one, until they fall asleep. */
  readonly #late = new Set<string>();
  /** Who is being asked about a session: nobody else is before that is answered, which keeps its reads in order. */
  readonly #asked = new Map<string, { of: OutboundReader; left: number }>();
  #closed = false;

  constructor(deps: ReaderDeps) {
    this.#deps = deps;
    this.walled = deps.walled;
    this.#first = startReaderProcess(deps, 'reader');
  }

  read(session: string, cursor: number): Promise<ReadResult> {
    return this.#ask(session, (of) => of.read(session, cursor));
  }

  piece(session: string, name: string, at: PieceAt): Promise<PieceResult> {
    return this.#ask(session, (of) => of.piece(session, name, at));
  }

  async #ask<T extends { ok: true } | Failed>(session: string, put: (of: OutboundReader) => Promise<T>): Promise<T> {
    const asked = this.#asked.get(session) ?? { of: this.#readerOf(session), left: 0 };
    this.#asked.set(session, asked);
    asked.left += 1;
    const result = await put(asked.of);
    asked.left -= 1;
    if (asked.left === 0) this.#asked.delete(session);
    if (!result.ok && result.failure === 'timeout') this.#late.add(session);
    this.#endSecond();
    return result;
  }

  #readerOf(session: string): OutboundReader {
    if (!this.#late.has(session) || this.#closed) return this.#first;
    try {
      return (this.#second ??= startReaderProcess(this.#deps, 'second-reader'));
    } catch (error) {
      this.#deps.log.warn('a second reader cannot be started', { error: String(error) });
      return this.#first;
    }
  }

  forget(session: string): void {
    this.#late.delete(session);
    for (const it of [this.#first, this.#second]) it?.forget(session);
    this.#endSecond();
  }

  /** Once nobody is asked of it any more. */
  #endSecond(): void {
    const second = this.#second;
    if (second === null || this.#late.size > 0 || [...this.#asked.values()].some((it) => it.of === second)) return;
    this.#second = null;
    void second.close();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([this.#first.close(), this.#second?.close()]);
  }
}
