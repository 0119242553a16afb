/** kysely over node:sqlite: one connection, one user at a time, statements cached by their text. */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import {
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
} from 'kysely';

const MAX_STATEMENTS = 500;

type Prepared = { statement: StatementSync; returnsRows: boolean };

class Connection implements DatabaseConnection {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, Prepared>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  get isTransaction(): boolean {
    return this.#db.isTransaction;
  }

  exec(sql: string): void {
    this.#db.exec(sql);
  }

  executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { statement, returnsRows } = this.#prepare(query.sql);
    const values = query.parameters as SQLInputValue[];
    if (returnsRows) return Promise.resolve({ rows: statement.all(...values) as R[] });
    const { changes, lastInsertRowid } = statement.run(...values);
    return Promise.resolve({ rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) });
  }

  #prepare(sql: string): Prepared {
    let prepared = this.#statements.get(sql);
    if (!prepared) {
      if (this.#statements.size >= MAX_STATEMENTS) this.#statements.clear();
      const statement = this.#db.prepare(sql);
      prepared = { statement, returnsRows: statement.columns().length > 0 };
      this.#statements.set(sql, prepared);
    }
    return prepared;
  }

  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('streaming is not used: reads are whole, with a limit');
  }
}

class SqliteDriver implements Driver {
  readonly #connection: Connection;
  #turn: Promise<void> = Promise.resolve();
  #release: () => void = () => {};

  constructor(db: DatabaseSync) {
    this.#connection = new Connection(db);
  }

  init(): Promise<void> {
    return Promise.resolve();
  }

  /** One user at a time: a statement outside a transaction must not slip into one. */
  async acquireConnection(): Promise<Connection> {
    const before = this.#turn;
    let release = (): void => {};
    this.#turn = new Promise((resolve) => (release = resolve));
    await before;
    this.#release = release;
    return this.#connection;
  }

  releaseConnection(): Promise<void> {
    this.#release();
    return Promise.resolve();
  }

  beginTransaction(connection: Connection): Promise<void> {
    connection.exec('begin immediate');
    return Promise.resolve();
  }

  commitTransaction(connection: Connection): Promise<void> {
    connection.exec('commit');
    return Promise.resolve();
  }

  /** A full disk has taken it back already (https://sqlite.org/lang_transaction.html): its error must not be hidden. */
  rollbackTransaction(connection: Connection): Promise<void> {
    if (connection.isTransaction) connection.exec('rollback');
    return Promise.resolve();
  }

  destroy(): Promise<void> {
    return Promise.resolve();
  }
}

export const sqliteDialect = (db: DatabaseSync): Dialect => ({
  createAdapter: () => new SqliteAdapter(),
  createDriver: () => new SqliteDriver(db),
  createIntrospector: (kysely: Kysely<unknown>) => new SqliteIntrospector(kysely),
  createQueryCompiler: () => new SqliteQueryCompiler(),
});
