import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * Secrets, which of them an agent's endpoint is given, and agents that were deleted. An endpoint of somebody's own that
 * was given the host's key so far is given none from here on: its owner names one.
 */
const STATEMENTS = [
  `create table secrets (
    name text primary key,
    nonce blob not null,
    sealed blob not null,
    updated_at text not null
  ) strict, without rowid`,
  `alter table agents add column key text`,
  `alter table agents add column deleted_at text`,
  `update agents set key = upper(api) || '_API_KEY' where api is not null and base_url is null`,
];

export const secrets: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};
