import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Messages that wait for a model's quota; breaks nothing, as nothing has waited so before. */
const STATEMENTS = [
  `alter table dispatches add column parked_at text`,
  `create index dispatches_due on dispatches (due_at) where state = 'open' and due_at is not null`,
];

export const parked: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};
