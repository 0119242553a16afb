/** The HTTP API, v1, as types only. Served on <run dir>/api.sock; whoever can open that socket is an owner. */
import type { ChannelView } from './channel-contract.ts';

/** Every error answer: `error` says what, `next` what to do. */
export type ApiError = { error: string; next: string };

export type AgentInput = {
  name: string;
  provider: string;
  model?: string;
  baseUrl?: string;
  api?: 'anthropic' | 'openai';
  sandbox?: 'bubblewrap' | 'docker' | 'process';
  instructions?: string;
  /** Name of the secret that the model endpoint is given; null for none. Unsaid: the public endpoint's own, else none. */
  key?: string | null;
};
/** PATCH /v1/agents/:name: what is named is changed, from the next run on. `baseUrl` null: the public endpoint again. */
export type AgentPatch = Partial<Omit<AgentInput, 'name' | 'baseUrl'>> & { baseUrl?: string | null };
export type AgentView = {
  id: string;
  name: string;
  provider: string;
  model: string | null;
  baseUrl: string | null;
  api: 'anthropic' | 'openai' | null;
  sandbox: 'bubblewrap' | 'docker' | 'process';
  key: string | null;
  instructionsFile: string;
  destinations: string[];
  createdAt: string;
};

/**
 * GET /v1/secrets, PUT /v1/secrets/:name {value}, DELETE /v1/secrets/:name. A value goes in and never comes out.
 * `environment`: the host found it in its own environment when it started and keeps it in memory only.
 */
export type SecretView = { name: string; from: 'kept' | 'environment'; updatedAt: string | null; usedBy: string[] };

/** POST /v1/models: what the endpoint offers, newest first, asked by the host with the secret named `key`. */
export type ModelsInput = { api: 'anthropic' | 'openai'; baseUrl?: string; key?: string | null };
export type ModelsView = { models: { id: string; createdAt: string | null }[] };

/** POST /v1/agents/:name/check: one real call for one token. */
export type CheckView = { ok: true; ms: number } | { ok: false; fault: string; next: string };

/**
 * GET /v1/mounts, POST /v1/mounts {path}, DELETE /v1/mounts {path}: folders that may be given to sessions. `sessions`
 * work in it; after DELETE, those that were cut off. `secretFiles`, after POST: files right in it that may hold keys.
 */
export type MountView = { path: string; allowedAt: string; sessions: string[]; secretFiles?: string[] };

/**
 * POST /v1/agents/:name/folder {path}: the agent's terminal session works on this folder from its next run on; `path`
 * null takes it back, and the answer is null. GET: what it works on, or null. `sharedWith`: another agent that does.
 */
export type FolderView = {
  path: string;
  inside: string;
  access: 'read-write' | 'read-only';
  sharedWith: string | null;
  sessionId: string;
};

export type SessionState = 'asleep' | 'waiting' | 'starting' | 'awake' | 'stopping';
export type SessionView = {
  id: string;
  agent: string;
  key: string;
  state: SessionState;
  /** Place among those that wait for one of the slots, from 1. */
  place: number | null;
  run: number;
  cursor: number;
  open: number;
  folder: string;
  pid: number | null;
  createdAt: string;
  endedAt: string | null;
};

/** POST /v1/uploads, the bytes of one file as the body: kept until a message brings it along, or the host starts. */
export type UploadView = { upload: string };
/**
 * POST /v1/agents/:name/messages. `id` makes a repeat of the same request one message. With `files`, `text` may be
 * empty; `mime` unsaid is guessed from the name.
 */
export type SendInput = { text: string; id?: string; files?: { upload: string; name: string; mime?: string }[] };
export type SendStatus = 'accepted' | 'answered' | 'no-reply' | 'failed' | 'timeout';
export type Reply = { delivery: string; seq: number | null; text: string; files?: SentFile[]; to: string };
/** A file that came with a message of the agent: the host's copy, kept for as long as the message is. */
export type SentFile = { name: string; mime: string; bytes: number; path: string };
/** GET /v1/messages/:id?wait=MS answers when the message is settled and its replies are collected, or after MS. */
export type MessageView = {
  id: string;
  status: SendStatus;
  /** What the agent said to it; for a command, what the host said. */
  replies: Reply[];
  /** What the host said about it besides; to be confirmed like replies, or the terminal shows it later. */
  notices: Reply[];
  error?: string;
  next?: string;
};

/**
 * GET /v1/agents/:name/chat: one JSON object a line while connected. A `message` is delivered once it was named in
 * POST /v1/deliveries/received {ids}; what was not is shown again at the next connection.
 */
export type ChatEvent =
  | { type: 'ready'; agent: string; provider: string; model: string | null; sandbox: string; waiting: number }
  | {
      type: 'message';
      delivery: string;
      seq: number | null;
      text: string;
      files?: SentFile[];
      notice: boolean;
      mayBeDuplicate: boolean;
      answers: string[];
    }
  | {
      type: 'progress';
      /** `queued`: it waits for a sandbox, `detail` is its place: `3 of 5`. `parked`: it waits for the model's quota until `detail`, an ISO time. `waiting`: the model was asked and has not said anything yet. `writing`: text is coming. */
      state: 'queued' | 'parked' | 'starting' | 'waiting' | 'thinking' | 'writing' | 'tool' | 'retrying' | 'idle';
      detail: string | null;
      since: string;
    }
  /**
   * A piece of a reply that is still being written: `text` stands at character `at` of reply number `reply` of the
   * turn. Lossy: what counts is the `message` that follows.
   */
  | { type: 'partial'; turn: string; reply: number; at: number; text: string }
  | { type: 'settled'; message: string; status: 'done' | 'failed' | 'dead' };

export type StatusView = {
  version: string;
  home: string;
  pid: number;
  startedAt: string;
  sandboxes: { kind: string; ok: boolean; fault?: string; next?: string }[];
  reader: { walled: boolean };
  channels: ChannelView[];
  agents: number;
  sessions: { total: number; awake: number; waiting: number };
  open: { messages: number; deliveries: number; dead: number };
};
