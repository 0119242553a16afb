/**
 * What agents wrote, opened with care: by the reader process alone, never by the host. It holds no locks between two
 * reads, so closing a descriptor of its own cannot drop one.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { isFault } from '@halfdoor/protocol/fault';
import { LIMITS } from '@halfdoor/protocol/limits';
import {
  OUTBOUND_READABLE,
  OUTBOUND_VERSION,
  readOutboundRows,
  SCHEMA_QUERY,
  SessionFile,
} from '@halfdoor/protocol/reader';
import type { ReadFailure, ReadResult } from './reader.ts';

/** The folder of all out/ folders, and the schema that is expected of each version. */
export type Hello = { root: string; fingerprints: Record<string, string> };
type Kept = { file: SessionFile; ino: number };

const BUSY_MS = 20;
const KEPT_SESSIONS = 16;
const SAFE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** What the host is told instead of rows; the names are those of `ReadFailure`. */
class Refused extends Error {
  readonly failure: ReadFailure;
  constructor(failure: ReadFailure, detail: string) {
    super(detail);
    this.failure = failure;
  }
}

/** Opens a plain file that is not a link, checks it is what was looked at, and closes it again before anything else. */
function firstBytes(path: string, bytes: number, maxSize: number): { head: Buffer; ino: number } {
  const seen = lstatSync(path, { throwIfNoEntry: false });
  if (!seen) throw new Refused('gone', 'no such file');
  if (!seen.isFile()) throw new Refused('refused', 'not a plain file');
  if (seen.size > maxSize) throw new Refused('too-large', `${seen.size} bytes`);
  const fd = openSync(path, SAFE);
  try {
    const found = fstatSync(fd);
    if (!found.isFile() || found.ino !== seen.ino || found.dev !== seen.dev)
      throw new Refused('refused', 'file was swapped');
    const head = Buffer.alloc(bytes);
    return { head: head.subarray(0, readSync(fd, head, 0, bytes, 0)), ino: found.ino };
  } finally {
    closeSync(fd);
  }
}

/** Database header, https://sqlite.org/fileformat.html §1.3: magic, and 1 for both format versions (2 is WAL). */
function checkHeader(head: Buffer): void {
  if (head.length < 100 || head.toString('latin1', 0, 16) !== 'SQLite format 3\0')
    throw new Refused('refused', 'no SQLite header');
  if (head[18] !== 1 || head[19] !== 1)
    throw new Refused('refused', `journal format ${head[18]}/${head[19]} in the header`);
}

export class OutboundFiles {
  readonly #hello: Hello;
  readonly #kept = new Map<string, Kept>();

  constructor(hello: Hello) {
    this.#hello = hello;
  }

  #read(session: string, cursor: number): ReadResult {
    const folder = join(this.#hello.root, session);
    const path = join(folder, 'outbound.db');
    const { head, ino } = firstBytes(path, 100, LIMITS.outboundDbBytes);
    checkHeader(head);
    const file = this.#open(session, path, ino);
    const rows = readOutboundRows(file, cursor, LIMITS.collectRows, () => this.#checkSchema(file));
    const line = (name: string, bytes: number): string => {
      try {
        return firstBytes(join(folder, name), bytes, Number.MAX_SAFE_INTEGER).head.toString('utf8');
      } catch {
        return '';
      }
    };
    return {
      ok: true,
      ...rows,
      heartbeat: line('heartbeat', LIMITS.heartbeatBytes),
      progress: line('progress', LIMITS.progressBytes),
    };
  }

  #open(session: string, path: string, ino: number): SessionFile {
    const kept = this.#kept.get(session);
    if (kept?.ino === ino) return kept.file;
    this.forget(session);
    const bounds = { version: OUTBOUND_VERSION, only: OUTBOUND_READABLE };
    const file = new SessionFile(path, { access: 'reads', timeoutMs: BUSY_MS, ...bounds });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= KEPT_SESSIONS && oldest !== undefined) this.forget(oldest);
    this.#kept.set(session, { file, ino });
    return file;
  }

  #checkSchema(file: SessionFile): void {
    const version = String(file.pragma('user_version'));
    const found = JSON.stringify(file.all(SCHEMA_QUERY));
    if (found !== this.#hello.fingerprints[version])
      throw new Refused('refused', 'the schema is not the one the host made');
  }

  forget(session: string): void {
    this.#kept.get(session)?.file.close();
    this.#kept.delete(session);
  }

  /** What is above `cursor`. Never throws; a connection that failed in any way is not used again. */
  answer(session: string, cursor: number): ReadResult {
    try {
      return this.#read(session, cursor);
    } catch (error) {
      this.forget(session);
      const detail = error instanceof Error ? error.message : String(error);
      return { ok: false, failure: failureOf(error), detail };
    }
  }
}

function failureOf(error: unknown): ReadFailure {
  if (error instanceof Refused) return error.failure;
  if (isFault(error, 'busy')) return 'locked';
  if (isFault(error, 'hot-journal')) return 'hot-journal';
  if (isFault(error, 'newer-version')) return 'newer-version';
  return 'refused';
}
