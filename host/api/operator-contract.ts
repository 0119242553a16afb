/** The HTTP API of the operator's verbs, v1, as types only: what became of a message, dead letters, one session. */
import type { SessionView } from './contract.ts';

export type TraceStanding =
  | 'answered'
  | 'no-reply'
  | 'failed'
  | 'dead'
  | 'stopped'
  | 'dropped'
  | 'waiting'
  | 'working'
  | 'undelivered'
  | 'obeyed';

/** One thing that happened to a message, or what holds now. */
export type TraceHop = {
  /** Null for what has no time of its own. */
  at: string | null;
  /** Since it was accepted. */
  afterMs: number | null;
  what:
    | 'accepted'
    | 'repeated'
    | 'parked'
    | 'routed'
    | 'projected'
    | 'run'
    | 'claimed'
    | 'tried'
    | 'wrote'
    | 'notes'
    | 'refused'
    | 'uncollected'
    | 'settled'
    | 'notice'
    | 'delivered'
    | 'undelivered'
    | 'replayed'
    | 'dropped';
  text: string;
  /** What was written, as far as it is kept. */
  body?: string;
  session?: string;
  run?: number;
  seq?: number;
  dispatch?: string;
  delivery?: string;
};

/** GET /v1/trace/:id: `id` may be the beginning of one. */
export type TraceView = {
  id: string;
  acceptedAt: string;
  hops: TraceHop[];
  /** Where it stands in one sentence, and what to do next where there is something to do. */
  now: { standing: TraceStanding; text: string; next: string | null };
};

/**
 * GET /v1/dead, GET /v1/dead/:id: what was given up. POST /v1/dead/:id/replay takes one up again, DELETE /v1/dead/:id ends
 * it for good, POST /v1/dead/replay does the first for all there are.
 */
export type DeadView = {
  id: string;
  kind: 'message' | 'delivery';
  agent: string;
  sessionId: string | null;
  /** Messages this is about, for `trace`. */
  messages: string[];
  at: string;
  tries: number;
  error: string;
  next: string;
  /** To whom a delivery goes. */
  to: string | null;
  text: string;
};
export type ReplayView = { id: string; kind: 'message' | 'delivery'; replayedAs: string; mayBeDuplicate: boolean };
export type ReplayAllView = { replayed: ReplayView[]; left: { id: string; error: string }[] };

export type OpenMessageView = {
  message: string;
  dispatch: string;
  at: string;
  sender: string | null;
  tries: number;
  text: string;
};
export type RunView = { run: number; startedAt: string; endedAt: string | null; ending: string | null };

/** GET /v1/sessions/:id. Sizes in bytes, null where there is nothing any more; of a huge folder it is the least it has. */
export type SessionDetail = SessionView & {
  openMessages: OpenMessageView[];
  runs: RunView[];
  sizes: {
    inbound: number | null;
    outbound: number | null;
    work: number | null;
    workFiles: number | null;
    whole: boolean;
  };
};

/**
 * POST /v1/sessions/:id/stop: takes back what is open, as /stop does, and ends the run. `done` is false when the session is
 * still waiting for its turn to carry it out. POST /v1/sessions/:id/reset is /new for that session.
 */
export type StopView = { sessionId: string; takenBack: number; done: boolean };
export type ResetView = { sessionId: string; dropped: number };

/** GET /v1/sessions/:id/tail[?follow=1]: one JSON object a line, the last few first, then what comes while connected. */
export type TailEvent =
  | {
      type: 'in';
      at: string;
      message: string;
      kind: 'chat' | 'control' | 'notice';
      sender: string | null;
      text: string;
    }
  | { type: 'settled'; at: string; message: string; state: 'done' | 'failed' | 'dead'; reason: string | null }
  | { type: 'out'; at: string; delivery: string; seq: number | null; to: string; notice: boolean; text: string }
  | { type: 'delivered'; at: string; delivery: string; state: 'delivered' | 'dead'; reason: string | null }
  | { type: 'run'; at: string; run: number; ending: string | null }
  | { type: 'progress'; at: string; run: number; state: string; detail: string | null };
