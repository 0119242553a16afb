import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Agents in Docker too. A check cannot be changed, but the column that bears it can be put in another's place. */
const STATEMENTS = [
  `alter table agents add column kind text not null default 'bubblewrap' check (kind in ('bubblewrap', 'docker', 'process'))`,
  `update agents set kind = sandbox`,
  `alter table agents drop column sandbox`,
  `alter table agents rename column kind to sandbox`,
];

export const docker: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};
