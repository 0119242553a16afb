/**
 * The host's own database: WAL, synchronous FULL, one writing connection whose jobs of one loop tick share a commit,
 * and one reading connection that sees committed rows only.
 */
import { DatabaseSync } from 'node:sqlite';
import { Kysely, sql, type Transaction } from 'kysely';
import { Migrator } from 'kysely/migration';
import type { Durable, DurableStep } from '@halfdoor/protocol/durable';
import type { Clock } from '../clock.ts';
import { sqliteDialect } from './dialect.ts';
import { first } from './migrations/001-first.ts';
import { secrets } from './migrations/002-secrets.ts';
import { mounts } from './migrations/003-mounts.ts';
import { trace } from './migrations/004-trace.ts';
import { answers } from './migrations/005-answers.ts';
import { channels } from './migrations/006-channels.ts';
import { parked } from './migrations/007-parked.ts';
import { outbox } from './migrations/008-outbox.ts';
import { egress } from './migrations/009-egress.ts';
import { docker } from './migrations/010-docker.ts';
import { NewerSchema, unknownMigrations } from './newer.ts';
import type { Schema } from './schema.ts';

export type Tx = Transaction<Schema>;
type Job = { run(tx: Tx): Promise<unknown>; resolve(value: unknown): void; reject(error: unknown): void };
/** Opens one connection to the file at `path`, making it if it may write. */
export type Connect = (path: string, readOnly: boolean) => DatabaseSync;
type Outcome = { ok: true; value: unknown } | { ok: false; error: unknown };

export const MIGRATIONS = {
  '001-first': first,
  '002-secrets': secrets,
  '003-mounts': mounts,
  '004-trace': trace,
  '005-answers': answers,
  '006-channels': channels,
  '007-parked': parked,
  '008-outbox': outbox,
  '009-egress': egress,
  '010-docker': docker,
};

export class Central {
  /** Committed rows only; never inside a job. */
  readonly read: Kysely<Schema>;
  readonly #write: Kysely<Schema>;
  readonly #files: DatabaseSync[];
  readonly #durable: Durable;
  readonly #soon: Clock['soon'];
  #jobs: Job[] = [];
  #flushing: Promise<void> | null = null;
  #agentsVersion = 0;

  private constructor(files: [DatabaseSync, DatabaseSync], durable: Durable, soon: Clock['soon']) {
    this.#files = files;
    this.#durable = durable;
    this.#soon = soon;
    this.#write = new Kysely<Schema>({ dialect: sqliteDialect(files[0]) });
    this.read = new Kysely<Schema>({ dialect: sqliteDialect(files[1]) });
  }

  /** Opens or makes the database and brings it to this version. Throws `NewerSchema`, or when it is broken. */
  static async open(
    path: string,
    durable: Durable,
    { soon }: Pick<Clock, 'soon'>,
    connect: Connect = connectFile,
  ): Promise<Central> {
    const write = connectKnown(path, connect);
    const db = new Kysely<unknown>({ dialect: sqliteDialect(write) });
    const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve(MIGRATIONS) } });
    const { error } = await durable('migrate', () => migrator.migrateToLatest());
    if (error) {
      write.close();
      throw new Error(`central database ${path} cannot be brought to this version: ${String(error)}`, { cause: error });
    }
    return new Central([write, connect(path, true)], durable, soon);
  }

  /**
   * One transaction; jobs of one loop tick share its commit, each behind a savepoint, so that one that throws takes back
   * only itself. Resolves after the commit is on the disk. A job may await nothing but its own queries.
   */
  commit<T>(step: DurableStep, job: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#durable(
      step,
      () =>
        new Promise<T>((resolve, reject) => {
          const done = (value: unknown): void => {
            if (step === 'agent' || step === 'channel') this.#agentsVersion += 1;
            resolve(value as T);
          };
          this.#jobs.push({ run: job, resolve: done, reject });
          this.#flushing ??= new Promise((flushed) => this.#soon(() => void this.#flush().then(flushed)));
        }),
    );
  }

  /** Another number once agents, chats or destinations may have changed: what was read of them before is stale. */
  get agentsVersion(): number {
    return this.#agentsVersion;
  }

  async #flush(): Promise<void> {
    while (this.#jobs.length > 0) {
      const jobs = this.#jobs;
      this.#jobs = [];
      await this.#together(jobs);
    }
    this.#flushing = null;
  }

  async #together(jobs: Job[]): Promise<void> {
    let outcomes: Outcome[];
    try {
      outcomes = await this.#write.transaction().execute(async (tx) => {
        const [only] = jobs;
        // Alone, it takes back only itself when the transaction is rolled back.
        if (only && jobs.length === 1) return [{ ok: true as const, value: await only.run(tx) }];
        const all: Outcome[] = [];
        for (const job of jobs) all.push(await behindSavepoint(tx, job));
        return all;
      });
    } catch (error) {
      for (const job of jobs) job.reject(error);
      return;
    }
    jobs.forEach((job, at) => {
      const outcome = outcomes[at];
      if (outcome?.ok) job.resolve(outcome.value);
      else job.reject(outcome?.error);
    });
  }

  /** Waits for the commits under way, then closes both connections. */
  async close(): Promise<void> {
    await this.#flushing;
    // The writing one last: only then is the WAL taken into the file and removed.
    for (const file of this.#files.toReversed()) file.close();
  }
}

async function behindSavepoint(tx: Tx, job: Job): Promise<Outcome> {
  await sql`savepoint job`.execute(tx);
  try {
    const value = await job.run(tx);
    await sql`release job`.execute(tx);
    return { ok: true, value };
  } catch (error) {
    // A full disk takes back the whole transaction, savepoints and all: then all of its jobs fail, for this reason.
    await sql`rollback to job`.execute(tx).catch(() => Promise.reject(error));
    await sql`release job`.execute(tx);
    return { ok: false, error };
  }
}

/** The writing connection, once it is seen that no newer Halfdoor was here. */
function connectKnown(path: string, connect: Connect): DatabaseSync {
  const known = Object.keys(MIGRATIONS);
  try {
    const db = connect(path, false);
    const unknown = unknownMigrations(db, known);
    if (unknown.length === 0) return db;
    db.close();
    throw new NewerSchema(path, unknown, known.at(-1) ?? '');
  } catch (error) {
    if (error instanceof NewerSchema) throw error;
    throw new Error(`central database ${path} cannot be opened: ${String(error)}`, { cause: error });
  }
}

export function connectFile(path: string, readOnly: boolean): DatabaseSync {
  const db = new DatabaseSync(path, { readOnly, timeout: 5_000 });
  if (!readOnly) db.exec('pragma journal_mode = wal; pragma synchronous = full');
  db.exec('pragma foreign_keys = on; pragma mmap_size = 0; pragma cache_size = -8000');
  return db;
}
