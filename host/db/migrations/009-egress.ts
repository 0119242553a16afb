import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Which hosts agents may reach, and what they asked for; breaks nothing. */
const STATEMENTS = [
  // rule: a host name, `*.name`, or the name of a preset.
  `create table egress_rules (
    agent_id text not null references agents (id),
    rule text not null,
    allowed_at text not null,
    allowed_by text not null,
    primary key (agent_id, rule)
  ) strict, without rowid`,
  // One row for requests of the same kind, host and end that came close together; bytes and ms are those of all of them.
  `create table egress_log (
    n integer primary key autoincrement,
    agent_id text not null,
    session_id text not null,
    kind text not null check (kind in ('tunnel', 'model', 'search')),
    host text not null,
    port integer not null,
    verdict text not null check (verdict in ('allow', 'deny', 'failed')),
    reason text not null,
    times integer not null,
    up integer not null,
    down integer not null,
    ms integer not null,
    at text not null
  ) strict`,
  // One row or none: where agents search, and the name of the secret that goes along.
  `create table search_endpoint (
    only integer primary key check (only = 1),
    engine text not null check (engine in ('searxng', 'brave', 'tavily')),
    base_url text not null,
    key text
  ) strict`,
  `create index egress_log_agent on egress_log (agent_id, n)`,
  `create index egress_log_session on egress_log (session_id, at)`,
  `create index egress_log_at on egress_log (at)`,
];

export const egress: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};
