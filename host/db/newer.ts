/** A central database that a newer Halfdoor made: refused by name, before anything is tried on it. */
import type { DatabaseSync } from 'node:sqlite';

export class NewerSchema extends Error {
  constructor(path: string, migrations: readonly string[], known: string) {
    super(newerText(path, migrations, known));
    this.name = 'NewerSchema';
  }
}

/** Names both versions. */
export const newerText = (path: string, migrations: readonly string[], known: string): string =>
  `${path} was made by a newer Halfdoor: it has schema ${migrations.at(-1)}, this one knows up to ${known}`;

/** Migrations that were run on this database and are not among `known`, in their order. */
export function unknownMigrations(db: DatabaseSync, known: readonly string[]): string[] {
  const has = db.prepare("select count(*) as n from sqlite_schema where name = 'kysely_migration'").get() as {
    n: number;
  };
  if (has.n === 0) return [];
  const names = db.prepare('select name from kysely_migration order by name').all() as { name: string }[];
  return names.map(({ name }) => name).filter((name) => !known.includes(name));
}
