-- out/outbound.db: written by the one runner of the current run, read by the host's reader process only.
pragma user_version = 1;

create table meta (
  id integer primary key check (id = 1),
  run integer not null,
  seq_high integer not null
) strict;

-- answers is a JSON array of inbound message ids. content of a message: {text, files}, files being names in out/files/.
create table messages_out (
  seq integer primary key check (seq > 0 and seq % 2 = 1),
  id text not null unique,
  run integer not null,
  turn text not null,
  answers text not null,
  kind text not null check (kind in ('message', 'action', 'scratch')),
  destination text,
  thread text,
  content text not null,
  timestamp text not null
) strict;

create table processing_ack (
  seq integer primary key check (seq > 0 and seq % 2 = 1),
  message_id text not null,
  run integer not null,
  status text not null check (status in ('done', 'failed')),
  reason text
) strict;
create index processing_ack_message on processing_ack (message_id);

create table session_state (
  key text primary key,
  value text not null
) strict, without rowid;

insert into meta (id, run, seq_high) values (1, 0, 0);
