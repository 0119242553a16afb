/** What a platform adapter promises; what it is given stands in `channel-host.ts`. One channel is one file or folder beside these. */
import type { Address } from '@halfdoor/protocol/message';

/** What holds for all of a platform, for as long as the host runs. */
export type Capabilities = {
  /** Sending the same delivery id twice shows it once. */
  idempotent: boolean;
  /** UTF-16 code units of one message; a longer text arrives in parts. */
  maxTextLength: number;
  /** Each of these is true exactly when the method of that name is there. */
  canEdit: boolean;
  canDelete: boolean;
  canReact: boolean;
  canType: boolean;
  canOpenDM: boolean;
  /** `files` and `buttons` of what is sent are shown; else only the text is. */
  hasFiles: boolean;
  hasButtons: boolean;
  /** A message may belong to a thread of its chat; else `address.thread` is always null. */
  threads: boolean;
};

/** A copy that only the host can change. */
export type OutgoingFile = { name: string; mime: string; bytes: number; path: string };
/** `id` comes back in the event of whoever pressed it: at most 64 bytes. */
export type Button = { id: string; label: string };

export type Outgoing = {
  /** The same id is the same delivery, also when it is sent again; each part of a long text has its own. */
  delivery: string;
  /** Where it stands in the ledger: grows within a chat, so that whoever has seen one knows what is new. */
  position: number;
  address: Address;
  text: string;
  seq: number | null;
  /** Made by the host, not by an agent. */
  notice: boolean;
  /** An earlier attempt may have arrived: the text says so to the person. */
  mayBeDuplicate: boolean;
  /** Events this answers. */
  answers: string[];
  files: readonly OutgoingFile[];
  buttons: readonly Button[];
};

export type Sent =
  | { status: 'sent'; platformId: string | null }
  /** Nobody is there to receive it now; `maybeSeen` when it was shown and not confirmed. */
  | { status: 'nobody'; maybeSeen: boolean }
  | Failed;
export type Failed = {
  status: 'failed';
  /** False: the same again would be refused again. */
  transient: boolean;
  reason: string;
  /** It may have arrived all the same: the platform read it, and its answer did not come. */
  maybeSeen: boolean;
  /** The platform's own word on when to try again. */
  retryAfterMs: number | null;
};

export type ChannelStatus = {
  /** `broken`: it needs a person; `next` says what to do. */
  state: 'connecting' | 'connected' | 'waiting' | 'broken';
  since: string;
  lastError: { at: string; text: string; next: string } | null;
};

export interface Channel {
  readonly name: string;
  readonly capabilities: Capabilities;
  /** Whether something sent now can arrive; false parks the chat's queue until `ready` of the host names it. */
  ready(address: Address): boolean;
  /** Resolves with what became of it; never rejects. */
  send(outgoing: Outgoing): Promise<Sent>;
  /** Replaces the text of a message that `send` named. None of these ever rejects. */
  edit?(address: Address, platformId: string, text: string): Promise<Sent>;
  delete?(address: Address, platformId: string): Promise<Sent>;
  /** Puts this agent's reaction on a message; null takes it away. */
  react?(address: Address, platformId: string, emoji: string | null): Promise<Sent>;
  /** Shows that something is being written, until `typingMs` have passed or something is sent. Never rejects. */
  type?(address: Address): Promise<void>;
  readonly typingMs?: number;
  /** The chat in which one person is alone with the agent. */
  openDM?(user: string): Promise<{ status: 'open'; address: Address } | Failed>;
  status(): ChannelStatus;
  /** Begins to take in. What it takes may come before this resolves. */
  start(): void;
  /** Takes nothing more in; resolves when what was being taken is. Sending goes on. */
  stop(): Promise<void>;
  /** What is still under way ends as `nobody` or `failed`. */
  close(): Promise<void>;
}
