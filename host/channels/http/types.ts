/** What the http channel is told by the host, and what it says to programs. docs/openapi.json says the same. */
import type { Outgoing, OutgoingFile } from '../channel.ts';
import type { IncomingFile } from '../channel-host.ts';

/** `callback` null: replies are read as server-sent events. */
export type HttpChat = { tokenHash: Uint8Array; callback: string | null };

/** A file of a message that is being taken, in the spool. */
export type Brought = IncomingFile & { bytes: number; sha256: string };
/** One of a message that was stored, where it is kept. */
export type KnownFile = { name: string; bytes: number; path: string };
export type FileLimits = { files: number; fileBytes: number };

/** A message that came with some key before, as it was stored. `files` null: a command, which has no use for any. */
export type Known = { sender: string | null; thread: string | null; text: string; files: KnownFile[] | null };

export type ProgressState = 'queued' | 'starting' | 'waiting' | 'thinking' | 'writing' | 'tool' | 'retrying' | 'idle';

/** What the host knows of the chats of this channel. */
export type HttpSide = {
  /** What one message may bring. */
  readonly limits: FileLimits;
  /** As it stands now; undefined where there is none of this name. */
  chat(name: string): HttpChat | undefined;
  /** Called with the name of a chat that was changed or taken away. Returns what ends it. */
  onChange(listener: (chat: string) => void): () => void;
  /** What callbacks of this chat are signed with: `whsec_` and base64. */
  signing(chat: string): { ok: true; value: string } | { ok: false; fault: string };
  /** Everything that came with this key. */
  known(chat: string, key: string): Promise<Known[]>;
  /** Whether these are the files that were kept: the same names and the same bytes, in the same order. */
  sameFiles(kept: Known['files'], brought: readonly Brought[]): Promise<boolean>;
  /** Answers when the message is settled, or after `waitMs` with how it stands; null for none of this chat. */
  message(chat: string, id: string, waitMs: number): Promise<MessageAnswer | null>;
  /** What was sent there or is on its way, above this position, in order; at most `limit`. */
  history(chat: string, after: number, limit: number): Promise<Said[]>;
  /** The agent that a delivery is from. */
  sayer(delivery: string): Promise<string>;
  /** The copy of a file that this delivery of this chat brought, counted from 0; null where there is none. */
  file(chat: string, delivery: string, n: number): Promise<OutgoingFile | null>;
  /** Returns what ends it. */
  onProgress(chat: string, listener: (state: ProgressState, since: string) => void): () => void;
};

/** `url`: a path of this host, for whoever has the token of the chat. */
export type SentFile = { name: string; mime: string; bytes: number; url: string };

export const sentFiles = (chat: string, delivery: string, files: readonly OutgoingFile[] = []): SentFile[] =>
  files.map(({ name, mime, bytes }, n) => ({ name, mime, bytes, url: `/v1/chats/${chat}/files/${delivery}/${n}` }));

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
  files: SentFile[];
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
  files: sentFiles(address.chat, it.delivery, it.files),
});

/** POST /v1/chats/{chat}/messages. */
export type MessageInput = { sender: string; text: string; thread: string | null; files: readonly Brought[] };
export type TakenAnswer = { id: string; repeated: boolean };

/** GET /v1/chats/{chat}/messages/{id}. */
export type MessageAnswer = {
  id: string;
  status: 'accepted' | 'answered' | 'no-reply' | 'failed';
  /** What was said to it in this chat: by the agent, and by the host. */
  replies: SaidThere[];
  notices: SaidThere[];
  error?: string;
  next?: string;
};

export type SaidThere = { delivery: string; seq: number | null; text: string; files: SentFile[] };

export type ErrorAnswer = { error: string; next: string };
