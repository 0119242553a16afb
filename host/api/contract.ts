/** The HTTP API, v1, as types only. Served on <run dir>/api.sock; whoever can open that socket is an owner. */

/** Every error answer: `error` says what, `next` what to do. */
export type ApiError = { error: string; next: string };

export type AgentInput = {
  name: string;
  provider: string;
  model?: string;
  baseUrl?: string;
  api?: 'anthropic' | 'openai';
  sandbox?: 'bubblewrap' | 'process';
  instructions?: string;
};
export type AgentView = {
  id: string;
  name: string;
  provider: string;
  model: string | null;
  baseUrl: string | null;
  api: 'anthropic' | 'openai' | null;
  sandbox: 'bubblewrap' | 'process';
  instructionsFile: string;
  destinations: string[];
  createdAt: string;
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

/** POST /v1/agents/:name/messages. `id` makes a repeat of the same request one message. */
export type SendInput = { text: string; id?: string };
export type SendStatus = 'accepted' | 'answered' | 'no-reply' | 'failed' | 'timeout';
export type Reply = { delivery: string; seq: number | null; text: string; to: string };
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
      notice: boolean;
      mayBeDuplicate: boolean;
      answers: string[];
    }
  | {
      type: 'progress';
      state: 'queued' | 'starting' | 'thinking' | 'tool' | 'retrying' | 'idle';
      detail: string | null;
      since: string;
    }
  | { type: 'settled'; message: string; status: 'done' | 'failed' | 'dead' };

export type StatusView = {
  version: string;
  home: string;
  pid: number;
  startedAt: string;
  sandboxes: { kind: string; ok: boolean; fault?: string; next?: string }[];
  reader: { walled: boolean };
  agents: number;
  sessions: { total: number; awake: number; waiting: number };
  open: { messages: number; deliveries: number; dead: number };
};
