import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Channels beside the terminal, and who speaks through them; breaks nothing. */
const STATEMENTS = [
  // settings: JSON of that kind of channel; never a secret.
  `create table channels (
    name text primary key,
    kind text not null check (kind in ('http', 'telegram')),
    settings text not null,
    created_at text not null
  ) strict, without rowid`,
  // id: <kind of channel>:<the platform's own id>.
  `create table users (
    id text primary key,
    name text,
    role text not null check (role in ('owner', 'admin', 'member')),
    created_at text not null
  ) strict, without rowid`,
  // hash: sha256 of a code that makes whoever sends it once an owner who talks to this agent.
  `create table pairings (
    hash text primary key,
    channel text not null,
    agent_id text not null references agents (id),
    created_at text not null,
    expires_at text not null,
    used_at text,
    used_by text
  ) strict, without rowid`,
  // token_hash: sha256. callback: where replies are posted to; null: they are read as server-sent events.
  `create table http_chats (
    chat_id text primary key references chats (id),
    token_hash blob not null,
    callback text,
    created_at text not null
  ) strict, without rowid`,
  // What programs read of their chats, from where they have read.
  `create index deliveries_http on deliveries (chat, ordinal) where channel = 'http' and state in ('sending', 'delivered')`,
  // Who was turned away, and how often.
  `create table strangers (
    channel text not null,
    chat text not null,
    sender text not null,
    reason text not null,
    n integer not null,
    first_at text not null,
    last_at text not null,
    primary key (channel, chat, sender)
  ) strict, without rowid`,
  `create index strangers_last on strangers (last_at)`,
  // Messages that show how far a reply is; each is taken away when its turn is over.
  `create table previews (
    channel text not null,
    chat text not null,
    platform_id text not null,
    at text not null,
    primary key (channel, chat, platform_id)
  ) strict, without rowid`,
  // What people see while they wait; null: what suits the place.
  `alter table wirings add column progress text check (progress in ('off', 'typing', 'steps', 'stream'))`,
  `alter table chats add column kind text not null default 'dm' check (kind in ('dm', 'group'))`,
  `alter table chats add column title text`,
  // JSON list: what the platform calls the parts of a long text that have arrived, but for the last.
  `alter table deliveries add column arrived text not null default '[]'`,
];

export const channels: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};
