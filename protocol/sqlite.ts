/**
 * The only way a session file is opened, under Node and Bun alike. Parameters are positional (`?`), the one style both
 * runtimes bind the same way. node:sqlite ignores unknown options in silence, so every setting is read back.
 */
import { existsSync } from 'node:fs';
import { DatabaseSync, type StatementSync, type SQLInputValue } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { Fault } from './fault.ts';
import type { Row } from './message.ts';
import { onlyReading, READ_BYTES, READ_LIMITS, type Readable } from './read-bounds.ts';

/** SQLite result codes (https://sqlite.org/rescode.html) that decide what happens next. */
const BUSY = 5;
const LOCKED = 6;
const READONLY_ROLLBACK = 776;
const NOT_A_DATABASE = 26;
const CORRUPT = 11;
const READONLY = 8;
const IO_ERROR = 10;
const FULL = 13;
const CANNOT_OPEN = 14;
const TOO_BIG = 18;
const NOT_AUTHORIZED = 23;

const ignored = (name: string, found: unknown, wanted: unknown): Fault =>
  new Fault(
    'option-ignored',
    `SQLite setting ${name} is ${String(found)}, not ${String(wanted)}`,
    'Run Halfdoor with the Node and Bun it brings: ./halfdoor.',
  );

export type Access = 'host-writes' | 'runner-writes' | 'reads';

export type OpenOptions = {
  access: Access;
  /** How long a lock is waited for, in milliseconds. */
  timeoutMs: number;
  /** The newest `user_version` that this side understands. */
  version: number;
  /** The columns that may be read, for a file that somebody else wrote; without it every one may. */
  only?: Readable;
};

function faultOf(error: unknown): unknown {
  const { errcode: code, code: name, message } = error as { errcode?: number; code?: string; message: string };
  // A whole number past 2^53 stands in the file: no writer of ours put it there.
  if (name === 'ERR_OUT_OF_RANGE') return new Fault('bad-row', `bad row: ${message}`, 'Start afresh with /new.');
  if (code === undefined) return error;
  if (code === READONLY_ROLLBACK) {
    return new Fault(
      'hot-journal',
      'a transaction was cut off in this file',
      'Its own writer takes it back at the next start.',
    );
  }
  switch (code & 0xff) {
    case BUSY:
    case LOCKED:
      return new Fault('busy', 'the file is locked', 'It is tried again.');
    case NOT_A_DATABASE:
    case CORRUPT:
    case NOT_AUTHORIZED:
      return new Fault('not-a-session-file', `not a sound session file: ${message}`, 'Start afresh with /new.');
    case CANNOT_OPEN:
    case READONLY:
      return new Fault('cannot-open', `the file cannot be used: ${message}`, 'Check the owner and mode of its folder.');
    case IO_ERROR:
    case FULL:
      return new Fault('disk', `the disk refused: ${message}`, 'Make room on the disk and look at its health.');
    case TOO_BIG:
      return new Fault('bad-row', `bad row: a value is over ${READ_BYTES} bytes`, 'Start afresh with /new.');
    default:
      return error;
  }
}

/** SQLite makes a file that is missing; this name of it says that it must be there. */
function existing(path: string, mode: 'ro' | 'rw'): URL {
  const url = pathToFileURL(path);
  url.searchParams.set('mode', mode);
  return url;
}

/**
 * One connection to one session file that exists. Throws `Fault`; statements are cached by their text. A connection
 * that cannot roll back closes itself, so that it keeps no lock.
 */
export class SessionFile {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly path: string;

  /** Never makes a file: a missing one is `not-a-session-file`. */
  constructor(path: string, options: OpenOptions) {
    this.path = path;
    const readOnly = options.access === 'reads';
    const limits = readOnly ? READ_LIMITS : {};
    const settings = { readOnly, timeout: options.timeoutMs, allowExtension: false, defensive: true, limits };
    try {
      this.#db = new DatabaseSync(existing(path, readOnly ? 'ro' : 'rw'), settings);
    } catch (error) {
      if (existsSync(path)) throw faultOf(error);
      throw new Fault('not-a-session-file', `there is no session file at ${path}`, 'Start afresh with /new.');
    }
    try {
      this.#prepare(options);
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  #prepare(options: OpenOptions): void {
    // First of all, since the next settings read the file already, and with it take back a cut-off transaction.
    if (options.access === 'runner-writes') this.#openInReadOnlyFolder();
    if (options.access === 'host-writes') this.exec('pragma journal_mode = persist');
    this.exec('pragma mmap_size = 0');
    this.exec('pragma trusted_schema = off');
    this.exec('pragma cell_size_check = on');
    this.exec('pragma synchronous = full');
    if (options.access === 'reads') this.#refuseWrites();
    this.#verify(options);
    if (options.only) this.#allowOnly(options.only);
  }

  /** Last of all, since it denies the settings above; that it took effect is seen by what it denies. */
  #allowOnly(readable: Readable): void {
    this.#db.setAuthorizer(onlyReading(readable));
    try {
      this.#db.prepare('pragma query_only');
    } catch {
      return;
    }
    throw ignored('authorizer', 'off', 'on');
  }

  /** The journal cannot be made or unlinked there: EXCLUSIVE lets SQLite keep and reuse the one it finds. */
  #openInReadOnlyFolder(): void {
    this.exec('pragma locking_mode = exclusive');
    this.exec('pragma journal_mode = persist');
    this.all('select count(*) as n from sqlite_schema');
    this.exec('pragma locking_mode = normal');
    this.all('select count(*) as n from sqlite_schema');
  }

  /** Proves `readOnly` by asking for a write transaction that would change nothing, then shuts the second bolt. */
  #refuseWrites(): void {
    this.pragma('user_version');
    try {
      this.#db.exec('pragma incremental_vacuum(1)');
      throw ignored('readOnly', 'off', 'on');
    } catch (error) {
      if ((error as { errcode?: number }).errcode !== READONLY) throw faultOf(error);
    }
    for (const [name, wanted] of Object.entries(READ_LIMITS)) {
      const found = this.#db.limits[name as keyof typeof READ_LIMITS];
      if (found !== wanted) throw ignored(`limits.${name}`, found, wanted);
    }
    this.exec('pragma query_only = on');
  }

  #verify(options: OpenOptions): void {
    // In defensive mode this has no effect, and that is how it can be seen.
    this.exec('pragma writable_schema = on');
    const ofAccess: Record<Access, Record<string, string | number>> = {
      reads: { query_only: 1, journal_mode: 'delete' },
      'host-writes': { journal_mode: 'persist', locking_mode: 'normal' },
      'runner-writes': { journal_mode: 'persist', locking_mode: 'normal' },
    };
    const expected: Record<string, string | number> = {
      mmap_size: 0,
      trusted_schema: 0,
      cell_size_check: 1,
      synchronous: 2,
      writable_schema: 0,
      busy_timeout: options.timeoutMs,
      ...ofAccess[options.access],
    };
    for (const [name, value] of Object.entries(expected)) {
      const found = this.pragma(name);
      if (found !== value) throw ignored(name, found, value);
    }
    const version = this.pragma('user_version');
    if (typeof version !== 'number' || version < 1) {
      throw new Fault('not-a-session-file', `${this.path} is not a session file`, 'Start afresh with /new.');
    }
    if (version > options.version) {
      throw new Fault(
        'newer-version',
        `this session file has version ${version}; this Halfdoor knows up to ${options.version}`,
        'Update Halfdoor, or start afresh with /new.',
      );
    }
  }

  pragma(name: string): unknown {
    const row = this.all(`pragma ${name}`)[0];
    return row === undefined ? undefined : Object.values(row)[0];
  }

  exec(sql: string): void {
    try {
      this.#db.exec(sql);
    } catch (error) {
      throw faultOf(error);
    }
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    try {
      return this.#statement(sql).all(...values) as Row[];
    } catch (error) {
      throw faultOf(error);
    }
  }

  /** Number of rows changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    try {
      return Number(this.#statement(sql).run(...values).changes);
    } catch (error) {
      throw faultOf(error);
    }
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** BEGIN IMMEDIATE … COMMIT; any throw rolls back at once, so that no lock outlives a failure. */
  write<T>(body: () => T): T {
    this.exec('begin immediate');
    try {
      const result = body();
      this.exec('commit');
      return result;
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  /** Several reads of one moment; inside another `read` it is a part of that one. */
  read<T>(body: () => T): T {
    if (this.#db.isTransaction) return body();
    this.exec('begin');
    try {
      return body();
    } finally {
      this.#rollBack();
    }
  }

  #rollBack(): void {
    if (!this.#db.isOpen || !this.#db.isTransaction) return;
    try {
      this.#db.exec('rollback');
    } catch {
      this.close();
    }
  }

  close(): void {
    this.#statements.clear();
    if (this.#db.isOpen) this.#db.close();
  }
}
