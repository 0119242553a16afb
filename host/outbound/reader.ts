/** The seam between the host and what an agent wrote: a process of its own opens those files, never this one. */
import type { Row } from '@halfdoor/protocol/message';

export const READ_FAILURES = [
  'locked', // busy; try again
  'hot-journal', // a run with --recover is due when none is alive
  'refused', // header, kind of file, schema or size is not what the host made
  'too-large',
  'newer-version',
  'timeout', // past LIMITS.readerDeadlineMs; the reader was killed and started again
  'gone', // no such session folder
] as const;
export type ReadFailure = (typeof READ_FAILURES)[number];

export type ReadResult =
  | {
      ok: true;
      /** Unparsed: the host's border parses them. At most LIMITS.collectRows each. */
      messages: Row[];
      acks: Row[];
      /** Where the next read goes on; equal to the one given when nothing new is there. */
      cursor: number;
      /** First 4 KiB of the two line files, unparsed. */
      heartbeat: string;
      progress: string;
    }
  | { ok: false; failure: ReadFailure; detail: string };

/** Of a file in out/files/: from where on, and as what the first piece showed it; null for the first. */
export type PieceAt = { offset: number; seen: string | null };
export type PieceResult =
  /** `bytes`: at most LIMITS.pieceBytes. */
  { ok: true; size: number; seen: string; bytes: Uint8Array } | { ok: false; failure: ReadFailure; detail: string };

export interface OutboundReader {
  /** Never rejects. Reads of several sessions may be under way at once; those of one session are in order. */
  read(sessionId: string, cursor: number): Promise<ReadResult>;
  /** A piece of a file that the agent sends. Never rejects. */
  piece(sessionId: string, name: string, at: PieceAt): Promise<PieceResult>;
  /** Closes what is kept open of a session that fell asleep. */
  forget(sessionId: string): void;
  /** Whether the process runs behind a wall of its own here. */
  readonly walled: boolean;
  close(): Promise<void>;
}
