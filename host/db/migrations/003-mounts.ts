import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Folders that may be given to sessions, and which session works on which; breaks nothing. */
const STATEMENTS = [
  `create table mounts (
    path text primary key,
    allowed_at text not null,
    allowed_by text not null
  ) strict, without rowid`,
  // All three or none; folder_identity is device:inode of what was given.
  `alter table sessions add column folder text`,
  `alter table sessions add column folder_identity text`,
  `alter table sessions add column folder_given_at text`,
  `create index sessions_folder on sessions (folder) where folder is not null and ended_at is null`,
];

export const mounts: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};
