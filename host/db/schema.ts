/** The host's own database, as types. The SQL that makes it stands in migrations/, append-only. */
import type { Generated } from 'kysely';

export type DispatchState = 'open' | 'done' | 'failed' | 'dead';
export type ProgressStyle = 'off' | 'typing' | 'steps' | 'stream';
export type DeliveryState = 'queued' | 'sending' | 'delivered' | 'dead';

export interface Schema {
  agents: {
    id: string;
    name: string;
    provider: string;
    model: string | null;
    base_url: string | null;
    api: 'anthropic' | 'openai' | null;
    sandbox: 'bubblewrap' | 'docker' | 'process';
    created_at: string;
    /** Name of the secret that the model endpoint is given. */
    key: string | null;
    /** Kept for its history only; its name is free again. */
    deleted_at: string | null;
  };
  chats: {
    id: string;
    channel: string;
    platform_id: string;
    created_at: string;
    kind: Generated<'dm' | 'group'>;
    title: string | null;
  };
  channels: { name: string; kind: 'http' | 'telegram'; settings: string; created_at: string };
  /** `id`: <kind of channel>:<the platform's own id>. */
  users: { id: string; name: string | null; role: 'owner' | 'admin' | 'member'; created_at: string };
  /** Codes, as sha256, that make whoever sends one of them once an owner who talks to this agent. */
  pairings: {
    hash: string;
    channel: string;
    agent_id: string;
    created_at: string;
    expires_at: string;
    used_at: string | null;
    used_by: string | null;
  };
  /** `callback` null: replies are read as server-sent events. */
  http_chats: { chat_id: string; token_hash: Uint8Array; callback: string | null; created_at: string };
  /** Who was turned away, and how often. */
  strangers: {
    channel: string;
    chat: string;
    sender: string;
    reason: string;
    n: number;
    first_at: string;
    last_at: string;
  };
  /** Messages that show how far a reply is, to be taken away when its turn is over. */
  previews: { channel: string; chat: string; platform_id: string; at: string };
  wirings: {
    chat_id: string;
    agent_id: string;
    engage: 'always';
    session_mode: 'chat';
    created_at: string;
    /** What people see while they wait; null: what suits the place. */
    progress: ProgressStyle | null;
  };
  agent_destinations: {
    agent_id: string;
    local_name: string;
    target_type: 'chat' | 'agent';
    target_id: string;
  };
  sessions: {
    id: string;
    agent_id: string;
    key: string;
    chat_id: string;
    run: number;
    cursor: number;
    created_at: string;
    ended_at: string | null;
    removed_at: string | null;
    /** How many of its dispatches were removed for their age. */
    forgotten: Generated<number>;
    /** The person's folder it works on, `device:inode` of it, and since when: all three or none. */
    folder: string | null;
    folder_identity: string | null;
    folder_given_at: string | null;
  };
  mounts: { path: string; allowed_at: string; allowed_by: string };
  events: {
    id: string;
    channel: string;
    chat: string;
    platform_id: string;
    kind: 'message' | 'command' | 'notice';
    version: number;
    thread: string | null;
    sender: string | null;
    role: 'owner' | 'admin' | 'member' | 'none' | null;
    content: string;
    received_at: string;
    /** How often the same id came again, and when last. */
    repeats: Generated<number>;
    repeated_at: string | null;
  };
  dispatches: {
    id: string;
    event_id: string;
    agent_id: string;
    session_id: string;
    kind: 'chat' | 'control' | 'notice';
    wakes: 0 | 1;
    state: DispatchState;
    tries: number;
    /** Until when it waits for the model's quota, since when it first did, and `reason`: why. */
    due_at: string | null;
    parked_at: Generated<string | null>;
    reason: string | null;
    settled_at: string | null;
    /** The dead letter that this one takes up again. */
    replay_of: string | null;
    /** What a person made of a dead letter. */
    closed: 'replayed' | 'dropped' | null;
    closed_at: string | null;
  };
  deliveries: {
    ordinal: Generated<number>;
    id: string;
    session_id: string | null;
    agent_id: string;
    seq: number | null;
    notice_key: string | null;
    channel: string;
    chat: string;
    thread: string | null;
    destination: string | null;
    content: string;
    state: DeliveryState;
    tries: number;
    may_be_duplicate: 0 | 1;
    due_at: string | null;
    platform_id: string | null;
    reason: string | null;
    created_at: string;
    settled_at: string | null;
    closed: 'dropped' | null;
    closed_at: string | null;
    /** JSON list: what the platform calls the parts of a long text that have arrived, but for the last. */
    arrived: Generated<string>;
  };
  /** Deliveries the host keeps copies of files for. */
  outbox: { delivery_id: string; agent_id: string; bytes: number };
  delivery_events: { event_id: string; delivery_id: string };
  runs: {
    session_id: string;
    run: number;
    started_at: string;
    ended_at: string | null;
    ending: string | null;
  };
  /** Runs that ended on a dispatch before it was settled; `run` is null for one that got no number. */
  tries: { dispatch_id: string; n: number; run: number | null; ending: string; at: string };
  /** What an agent wrote that goes nowhere: kept for `trace` alone. */
  unsent: {
    session_id: string;
    seq: number;
    run: number | null;
    kind: 'scratch' | 'message' | 'action' | 'unreadable';
    target: string | null;
    text: string;
    /** Why it was not sent; null for scratch. */
    refused: string | null;
    at: string;
  };
  unsent_events: { event_id: string; session_id: string; seq: number };
  audit: {
    id: string;
    at: string;
    session_id: string | null;
    agent_id: string | null;
    actor: string;
    action: string;
    target: string;
    verdict: 'allow' | 'hold' | 'deny';
    reason: string;
  };
  /** `rule`: a host name, `*.name`, or the name of a preset. */
  egress_rules: { agent_id: string; rule: string; allowed_at: string; allowed_by: string };
  /** Requests of the same kind, host and end that came close together are one row. */
  egress_log: {
    n: Generated<number>;
    agent_id: string;
    session_id: string;
    kind: 'tunnel' | 'model' | 'search';
    host: string;
    port: number;
    verdict: 'allow' | 'deny' | 'failed';
    reason: string;
    times: number;
    up: number;
    down: number;
    ms: number;
    at: string;
  };
  /** One row or none: where agents search. */
  search_endpoint: { only: 1; engine: 'searxng' | 'brave' | 'tavily'; base_url: string; key: string | null };
  secrets: { name: string; nonce: Uint8Array; sealed: Uint8Array; updated_at: string };
}
