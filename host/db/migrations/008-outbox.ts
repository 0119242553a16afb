import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Which deliveries the host keeps copies of files for, and how much they are; breaks nothing, as there were none. */
const STATEMENTS = [
  `create table outbox (
    delivery_id text primary key,
    agent_id text not null references agents (id),
    bytes integer not null
  ) strict, without rowid`,
  `create index outbox_agent on outbox (agent_id, bytes)`,
];

export const outbox: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};
