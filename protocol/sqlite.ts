/**
 * The only way a session file is opened, under Node and Bun alike. Parameters are positional (`?`), the one style both
 * runtimes bind the same way. node:sqlite ignores unknown options in silence, so every setting is read back.
 */
import { DatabaseSync, type StatementSync, type SQLInputValue } from 'node:sqlite';
import { Fault } from './fault.ts';
import type { Row } from './message.ts';

/** SQLite result codes (https://sqlite.org/rescode.html) that decide what happens next. */
const BUSY = 5;
const LOCKED = 6;
const READONLY_ROLLBACK = 776;
const NOT_A_DATABASE = 26;
const CORRUPT = 11;

export type Access = 'host-writes' | 'runner-writes' | 'reads';

export type OpenOptions = {
  access: Access;
  /** How long a lock is waited for, in milliseconds. */
  timeoutMs: number;
  /** The newest `user_version` that this side understands. */
  version: number;
};

function faultOf(error: unknown): unknown {
  const code = (error as { errcode?: number }).errcode;
  if (code === undefined) return error;
  const primary = code & 0xff;
  const message = (error as Error).message;
  if (code === READONLY_ROLLBACK) {
    return new Fault('hot-journal', 'a transaction was cut off in this file', 'Its own writer takes it back at the next start.');
  }
  if (primary === BUSY || primary === LOCKED) return new Fault('busy', 'the file is locked', 'It is tried again.');
  if (primary === NOT_A_DATABASE || primary === CORRUPT) {
    return new Fault('not-a-session-file', `not a sound session file: ${message}`, 'Start afresh with /new.');
  }
  return error;
}

/** One connection to one session file. Throws `Fault`; statements are cached by their text. */
export class SessionFile {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly path: string;

  constructor(path: string, options: OpenOptions) {
    this.path = path;
    const readOnly = options.access === 'reads';
    try {
      this.#db = new DatabaseSync(path, { readOnly, timeout: options.timeoutMs, allowExtension: false });
    } catch (error) {
      throw faultOf(error);
    }
    try {
      this.#prepare(options);
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  #prepare(options: OpenOptions): void {
    this.exec('pragma mmap_size = 0');
    this.exec('pragma trusted_schema = off');
    this.exec('pragma cell_size_check = on');
    this.exec('pragma synchronous = full');
    if (options.access === 'reads') this.exec('pragma query_only = on');
    // The journal cannot be made or unlinked in a read-only folder: EXCLUSIVE lets SQLite keep and reuse the one there.
    if (options.access === 'runner-writes') this.#openInReadOnlyFolder();
    if (options.access === 'host-writes') this.exec('pragma journal_mode = persist');
    this.#verify(options);
  }

  #openInReadOnlyFolder(): void {
    this.exec('pragma locking_mode = exclusive');
    this.exec('pragma journal_mode = persist');
    this.all('select count(*) as n from sqlite_schema');
    this.exec('pragma locking_mode = normal');
    this.all('select count(*) as n from sqlite_schema');
  }

  #verify(options: OpenOptions): void {
    const expected: Record<string, string | number> = {
      mmap_size: 0,
      trusted_schema: 0,
      cell_size_check: 1,
      synchronous: 2,
      busy_timeout: options.timeoutMs,
      ...(options.access === 'reads' ? { query_only: 1 } : { journal_mode: 'persist' }),
    };
    for (const [name, value] of Object.entries(expected)) {
      const found = this.pragma(name);
      if (found !== value) {
        throw new Fault(
          'option-ignored',
          `SQLite setting ${name} is ${String(found)}, not ${value}`,
          'Run Halfdoor with the Node and Bun it brings: ./halfdoor.',
        );
      }
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

  /** Several reads of one moment. */
  read<T>(body: () => T): T {
    this.exec('begin');
    try {
      return body();
    } finally {
      this.#rollBack();
    }
  }

  #rollBack(): void {
    if (this.#db.isTransaction) this.#db.exec('rollback');
  }

  close(): void {
    this.#statements.clear();
    if (this.#db.isOpen) this.#db.close();
  }
}
