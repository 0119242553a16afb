/** What the http channel is told by the host, and what it says to programs. docs/openapi.json says the same. */
import type { Outgoing } from '../channel.ts';

/** `callback` null: replies are read as server-sent events. */
export type HttpChat = { tokenHash: Uint8Array; callback: string | null };

/** A message that came with some key before, as it was stored. */
export type Known = { sender: string | null; thread: string | null; text: string };

export type ProgressState = 'queued' | 'starting' | 'waiting' | 'thinking' | 'writing' | 'tool' | 'retrying' | 'idle';

/** What the host knows of the chats of this channel. */
export type HttpSide = {
  /** As it stands now; undefined where there is none of this name. */
  chat(name: string): HttpChat | undefined;
  /** Called with the name of a chat that was changed or taken away. Returns what ends it. */
  onChange(listener: (chat: string) => void): () => void;
  /** What callbacks of this chat are signed with: `whsec_` and base64. */
  signing(chat: string): { ok: true; value: string } | { ok: false; fault: string };
  /** Everything that came with this key. */
  known(chat: string, key: string): Promise<Known[]>;
  /** Answers when the message is settled, or after `waitMs` with how it stands; null for none of this chat. */
  message(chat: string, id: string, waitMs: number): Promise<MessageAnswer | null>;
  /** What was sent there or is on its way, above this position, in order; at most `limit`. */
  history(chat: string, after: number, limit: number): Promise<Said[]>;
  /** The agent that a delivery is from. */
  sayer(delivery: string): Promise<string>;
  /** Returns what ends it. */
  onProgress(chat: string, listener: (state: ProgressState, since: string) => void): () => void;
};

/** A delivery as a program reads it: the body of a callback, the data of an event. */
export type Said = {
  delivery: string;
  position: number;
  chat: string;
  thread: string | null;
  from: string;
  text: string;
  seq: number | null;
  notice: boolean;
  mayBeDuplicate: boolean;
  answers: string[];
};

export const said = ({ address, ...it }: Outgoing, from: string): Said => ({
  delivery: it.delivery,
  position: it.position,
  chat: address.chat,
  thread: address.thread,
  from,
  text: it.text,
  seq: it.seq,
  notice: it.notice,
  mayBeDuplicate: it.mayBeDuplicate,
  answers: it.answers,
});

/** POST /v1/chats/{chat}/messages. */
export type MessageInput = { sender: string; text: string; thread: string | null };
export type TakenAnswer = { id: string; repeated: boolean };

/** GET /v1/chats/{chat}/messages/{id}. */
export type MessageAnswer = {
  id: string;
  status: 'accepted' | 'answered' | 'no-reply' | 'failed';
  /** What was said to it in this chat: by the agent, and by the host. */
  replies: { delivery: string; seq: number | null; text: string }[];
  notices: { delivery: string; seq: number | null; text: string }[];
  error?: string;
  next?: string;
};

export type ErrorAnswer = { error: string; next: string };
