import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** What a delivery answers is found without reading every delivery ever made; breaks nothing. */
export const answers: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`create index delivery_events_delivery on delivery_events (delivery_id)`.execute(db);
  },
};
