import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * What `halfdoor trace` shows and nothing else keeps, and what becomes of dead letters. Breaks nothing: what came before
 * simply has no such rows.
 */
const STATEMENTS = [
  `alter table events add column repeats integer not null default 0`,
  `alter table events add column repeated_at text`,
  `alter table dispatches add column replay_of text`,
  `alter table dispatches add column closed text check (closed in ('replayed', 'dropped'))`,
  `alter table dispatches add column closed_at text`,
  `alter table deliveries add column closed text check (closed in ('dropped'))`,
  `alter table deliveries add column closed_at text`,
  `alter table sessions add column forgotten integer not null default 0`,
  `create table tries (
    dispatch_id text not null references dispatches (id),
    n integer not null,
    run integer,
    ending text not null,
    at text not null,
    primary key (dispatch_id, n)
  ) strict, without rowid`,
  `create table unsent (
    session_id text not null references sessions (id),
    seq integer not null,
    run integer,
    kind text not null check (kind in ('scratch', 'message', 'action', 'unreadable')),
    target text,
    text text not null,
    refused text,
    at text not null,
    primary key (session_id, seq)
  ) strict`,
  `create index unsent_at on unsent (at)`,
  `create table unsent_events (
    event_id text not null references events (id),
    session_id text not null,
    seq integer not null,
    primary key (event_id, session_id, seq)
  ) strict, without rowid`,
  `create index unsent_events_row on unsent_events (session_id, seq)`,
  `create index runs_ended on runs (ended_at) where ended_at is not null`,
  `create index dispatches_dead on dispatches (id) where state in ('failed', 'dead') and closed is null`,
  `create index deliveries_dead on deliveries (id) where state = 'dead' and closed is null`,
];

export const trace: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};
