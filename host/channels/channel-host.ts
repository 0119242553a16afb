/** What a platform adapter has of the host, and how it hands in what people say. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Address } from '@halfdoor/protocol/message';
import type { ChannelStatus } from './channel.ts';

/** A file of the host's own, in the folder `spool`: accept takes it over. */
export type IncomingFile = { name: string; mime: string; path: string };

export type Incoming = {
  address: Address;
  /** The platform's own id of this message; the same id is the same message. */
  platformId: string;
  /** <kind of channel>:<the platform's own id>. */
  sender: string;
  /** What the platform calls the sender. */
  senderName?: string;
  /** Nobody else reads along there: the sender is alone with the agent. */
  direct?: boolean;
  text: string;
  files?: readonly IncomingFile[];
};

export type Taken =
  | { status: 'taken'; eventId: string; repeated: boolean }
  /** It will never be taken as it is: acknowledge it, and tell whoever sent it if the platform can. */
  | { status: 'refused'; code: RefusedCode; reason: string; next: string }
  /** Nothing was written, and the same may be taken later: do not acknowledge. */
  | { status: 'not-now'; reason: string };
export type RefusedCode = 'bad-input' | 'forbidden' | 'not-found' | 'exists' | 'too-large';

/** What a channel has of the host. */
export type ChannelHost = {
  readonly name: string;
  /** Resolves once it is durable: only then may the channel acknowledge upstream. Never rejects. */
  accept(incoming: Incoming): Promise<Taken>;
  /** What was parked for this place may be sent now. */
  ready(address: Address): void;
  /** Where a channel puts files that come in. Emptied when the host starts. */
  readonly spool: string;
  now(): Date;
  /** Calls `fn` once after `ms`. */
  after(ms: number, fn: () => void): { cancel(): void };
  /** From 0 up to 1. */
  random(): number;
  newId(): string;
  log: Record<'info' | 'warn' | 'error', (message: string, fields?: Record<string, unknown>) => void>;
};

/** The sockets behind a request, for a body that is read as it comes and an answer that goes on. */
export type Wire = { incoming: IncomingMessage; outgoing: ServerResponse };
export type Handle = (request: Request, wire: Wire) => Promise<Response>;

/** The one HTTP listener that channels share. It listens while something is mounted. */
export type Web = {
  /**
   * Requests for `prefix` and what lies below it go to `handle`, which never rejects; under `hostNames`, too, beside the
   * names of the listener. Returns what takes it away.
   */
  mount(prefix: string, handle: Handle, hostNames?: readonly string[]): () => void;
  /** `broken` while it cannot listen. */
  status(): ChannelStatus;
};

const RECONNECT_MS = 500;
const RECONNECT_MOST_MS = 60_000;

/** How long to wait before the try after `failures` in a row: grows to a minute, and no two hosts come back together. */
export function reconnectMs(failures: number, random: number): number {
  const most = Math.min(RECONNECT_MOST_MS, RECONNECT_MS * 2 ** Math.min(failures, 10));
  return Math.ceil(most / 2 + (most / 2) * random);
}
