/**
 * A query of the way of a message, built and compiled once, when its file is read: building costs several times what
 * running does. What it holds stands in the file that uses it, like any other query; only its values come later.
 */
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely';
import type { Compilable, QueryResult } from 'kysely';
import type { Schema } from './schema.ts';

export type Compiled<P, R> = {
  all(db: Kysely<Schema>, values: P): Promise<R[]>;
  first(db: Kysely<Schema>, values: P): Promise<R | undefined>;
  /** Throws when there is none: it must be there, or this database is broken. */
  one(db: Kysely<Schema>, values: P): Promise<R>;
  /** Number of rows changed. */
  run(db: Kysely<Schema>, values: P): Promise<number>;
};

/** Stands for a value that is given at each run. */
class Parameter {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** What is the same at every run stands in the text: only then does SQLite find an index of some rows, `where state = …`. */
class Compiler extends SqliteQueryCompiler {
  protected override appendValue(value: unknown): void {
    if (value instanceof Parameter) super.appendValue(value);
    else this.appendImmediateValue(value);
  }
}

const BUILDER = new Kysely<Schema>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new Compiler(),
  },
});

/**
 * `build` is called once, with a name in place of every value: it may put values into the query and do nothing else with
 * them, and what they are at a run decides nothing about its text. Lists have no place in such a query.
 */
export function compiled<P extends object, R>(build: (db: Kysely<Schema>, values: P) => Compilable<R>): Compiled<P, R> {
  const names = new Proxy({}, { get: (_, name) => new Parameter(String(name)) }) as P;
  const { query, sql, parameters, queryId } = build(BUILDER, names).compile();
  const execute = (db: Kysely<Schema>, values: P): Promise<QueryResult<R>> => {
    const bound = (parameters as Parameter[]).map((it) => values[it.name as keyof P]);
    return db.executeQuery<R>({ query, sql, queryId, parameters: bound });
  };
  return {
    all: async (db, values) => (await execute(db, values)).rows,
    first: async (db, values) => (await execute(db, values)).rows[0],
    one: async (db, values) => {
      const [row] = (await execute(db, values)).rows;
      if (row === undefined) throw new Error(`central lacks a row that must be there: ${sql}`);
      return row;
    },
    run: async (db, values) => Number((await execute(db, values)).numAffectedRows ?? 0),
  };
}
