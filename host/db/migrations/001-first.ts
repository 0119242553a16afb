import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Everything a message needs on its way; breaks nothing, as nothing came before it. */
const STATEMENTS = [
  `create table agents (
    id text primary key,
    name text not null unique,
    provider text not null,
    model text,
    base_url text,
    api text check (api in ('anthropic', 'openai')),
    sandbox text not null check (sandbox in ('bubblewrap', 'process')),
    created_at text not null
  ) strict`,
  `create table chats (
    id text primary key,
    channel text not null,
    platform_id text not null,
    created_at text not null,
    unique (channel, platform_id)
  ) strict`,
  `create table wirings (
    chat_id text not null references chats (id),
    agent_id text not null references agents (id),
    engage text not null check (engage in ('always')),
    session_mode text not null check (session_mode in ('chat')),
    created_at text not null,
    primary key (chat_id, agent_id)
  ) strict, without rowid`,
  `create table agent_destinations (
    agent_id text not null references agents (id),
    local_name text not null,
    target_type text not null check (target_type in ('chat', 'agent')),
    target_id text not null,
    primary key (agent_id, local_name)
  ) strict, without rowid`,
  `create table sessions (
    id text primary key,
    agent_id text not null references agents (id),
    key text not null,
    chat_id text not null references chats (id),
    run integer not null default 0,
    cursor integer not null default 0,
    created_at text not null,
    ended_at text,
    removed_at text
  ) strict`,
  `create unique index sessions_live on sessions (agent_id, key) where ended_at is null`,
  `create index sessions_ended on sessions (ended_at) where ended_at is not null and removed_at is null`,
  `create table events (
    id text primary key,
    channel text not null,
    chat text not null,
    platform_id text not null,
    kind text not null check (kind in ('message', 'command', 'notice')),
    version integer not null default 0,
    thread text,
    sender text,
    role text check (role in ('owner', 'admin', 'member', 'none')),
    content text not null,
    received_at text not null
  ) strict`,
  `create unique index events_once on events (channel, chat, platform_id, kind, version)`,
  `create table dispatches (
    id text primary key,
    event_id text not null references events (id),
    agent_id text not null references agents (id),
    session_id text not null references sessions (id),
    kind text not null check (kind in ('chat', 'control', 'notice')),
    wakes integer not null check (wakes in (0, 1)),
    state text not null check (state in ('open', 'done', 'failed', 'dead')),
    tries integer not null default 0,
    due_at text,
    reason text,
    settled_at text
  ) strict`,
  `create index dispatches_event on dispatches (event_id)`,
  `create index dispatches_open on dispatches (session_id, id) where state = 'open'`,
  `create table deliveries (
    ordinal integer primary key autoincrement,
    id text not null unique,
    session_id text references sessions (id),
    agent_id text not null references agents (id),
    seq integer,
    notice_key text unique,
    channel text not null,
    chat text not null,
    thread text,
    destination text,
    content text not null,
    state text not null check (state in ('queued', 'sending', 'delivered', 'dead')),
    tries integer not null default 0,
    may_be_duplicate integer not null default 0 check (may_be_duplicate in (0, 1)),
    due_at text,
    platform_id text,
    reason text,
    created_at text not null,
    settled_at text,
    unique (session_id, seq)
  ) strict`,
  `create index deliveries_waiting on deliveries (channel, chat, ordinal) where state in ('queued', 'sending')`,
  `create table delivery_events (
    event_id text not null references events (id),
    delivery_id text not null references deliveries (id),
    primary key (event_id, delivery_id)
  ) strict, without rowid`,
  `create table runs (
    session_id text not null references sessions (id),
    run integer not null,
    started_at text not null,
    ended_at text,
    ending text,
    primary key (session_id, run)
  ) strict, without rowid`,
  `create index runs_open on runs (session_id) where ended_at is null`,
  `create table audit (
    id text primary key,
    at text not null,
    session_id text,
    agent_id text,
    actor text not null,
    action text not null,
    target text not null,
    verdict text not null check (verdict in ('allow', 'hold', 'deny')),
    reason text not null
  ) strict`,
];

export const first: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};
