-- in/inbound.db: written by the host, read by the runner. A projection of central: lost, it is made again.
pragma user_version = 1;

create table meta (
  id integer primary key check (id = 1),
  session_id text not null,
  seq_high integer not null
) strict;

-- id is the dispatch id. address is JSON {channel, chat, thread} or null (notices of the host). files is a JSON list of
-- {name, mime, bytes, path}, path from the session's own folder: in/files/<event>/<name>.
create table messages_in (
  id text primary key,
  seq integer not null unique check (seq > 0 and seq % 2 = 0),
  kind text not null check (kind in ('chat', 'task', 'webhook', 'control', 'notice')),
  timestamp text not null,
  wakes integer not null check (wakes in (0, 1)),
  address text,
  sender text,
  role text,
  content text not null,
  files text not null default '[]',
  withdrawn integer not null default 0 check (withdrawn in (0, 1))
) strict, without rowid;

-- address of a chat; of an agent: {channel: 'peer', chat: <agent id>, thread: null}.
create table destinations (
  local_name text primary key,
  target_type text not null check (target_type in ('chat', 'agent')),
  address text not null
) strict, without rowid;

-- api: which protocol the model endpoint behind net.sock speaks; null when the provider calls no model.
-- folder: JSON {path, inside, access} of the person's folder this session works on, or null.
create table session_routing (
  id integer primary key check (id = 1),
  seq_floor integer not null,
  agent text not null,
  provider text not null,
  model text,
  api text check (api in ('anthropic', 'openai')),
  zone text not null,
  folder text
) strict;

create table delivered (
  seq integer primary key,
  status text not null check (status in ('delivered', 'failed', 'refused')),
  platform_id text,
  reason text,
  timestamp text not null
) strict;

insert into meta (id, session_id, seq_high) values (1, '', 0);
insert into session_routing (id, seq_floor, agent, provider, model, api, zone) values (1, 0, '', '', null, null, 'UTC');
