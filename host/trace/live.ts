/** What holds at this moment and stands in no row of central: the session's state, its two files, who is connected. */
import { isFault } from '@halfdoor/protocol/fault';
import {
  numbersIn,
  parseAck,
  parseHeartbeat,
  parseOutbound,
  parseProgress,
  type Heartbeat,
  type Progress,
} from '@halfdoor/protocol/host';
import type { Ack, Address, OutboundMessage, Row } from '@halfdoor/protocol/message';
import type { SessionState } from '../api/contract.ts';
import { sessionPaths, type Home } from '../home.ts';
import type { OutboundReader } from '../outbound/reader.ts';
import type { DispatchFact } from './facts.ts';

export type LiveDeps = {
  home: Home;
  reader: OutboundReader;
  sessions: {
    state(sessionId: string): { state: SessionState; place: number | null };
    counts(): { awake: number; waiting: number };
  };
  mayTake(address: Address): boolean;
};

export type Live = {
  state: SessionState;
  /** Its place among those that wait for a sandbox. */
  place: { n: number; of: number } | null;
  /** Its number in inbound.db; null when it is not there. */
  inboundSeq: number | null;
  /** Of the newest run, as last written. */
  heartbeat: Heartbeat | null;
  progress: Progress | null;
  /** Rows about this message that stand in outbound.db above the cursor. */
  uncollected: { messages: OutboundMessage[]; acks: Ack[] };
  /** Why a file could not be read just now. */
  unread: string | null;
};

type Outbound = Pick<Live, 'heartbeat' | 'progress' | 'uncollected' | 'unread'>;
const NOTHING: Outbound = { heartbeat: null, progress: null, uncollected: { messages: [], acks: [] }, unread: null };

/** The two files are looked at only as long as the message is open: what is settled was collected whole. */
export async function liveOf(deps: LiveDeps, it: DispatchFact): Promise<Live> {
  const { state, place } = deps.sessions.state(it.sessionId);
  const inbound = lookInbound(deps.home, it);
  const outbound = it.state === 'open' ? await lookOutbound(deps, it, state) : NOTHING;
  return {
    state,
    place: place === null ? null : { n: place, of: deps.sessions.counts().waiting },
    inboundSeq: inbound.seq,
    ...outbound,
    unread: inbound.unread ?? outbound.unread,
  };
}

function lookInbound(home: Home, it: DispatchFact): { seq: number | null; unread: string | null } {
  try {
    const { inbound } = sessionPaths(home, it.sessionId);
    return { seq: numbersIn(inbound, [it.id]).get(it.id) ?? null, unread: null };
  } catch (error) {
    if (!isFault(error)) throw error;
    // Of a conversation that ended the folder is gone: nothing to be said about it.
    return { seq: null, unread: it.state === 'open' ? `inbound.db: ${error.message}` : null };
  }
}

async function lookOutbound(deps: LiveDeps, it: DispatchFact, state: SessionState): Promise<Outbound> {
  const read = await deps.reader.read(it.sessionId, it.cursor);
  if (state === 'asleep') deps.reader.forget(it.sessionId);
  if (!read.ok) return { ...NOTHING, unread: `outbound.db: ${read.failure}, ${read.detail}` };
  const heartbeat = parseHeartbeat(read.heartbeat);
  const progress = parseProgress(read.progress);
  return {
    heartbeat: heartbeat?.run === it.sessionRun ? heartbeat : null,
    progress: progress?.run === it.sessionRun ? progress : null,
    uncollected: {
      messages: parsed(read.messages, parseOutbound).filter((row) => row.answers.includes(it.id)),
      acks: parsed(read.acks, parseAck).filter((row) => row.messageId === it.id),
    },
    unread: null,
  };
}

/** Rows that do not parse are refused when they are collected; here they say nothing. */
function parsed<T>(rows: Row[], parse: (row: Row) => T): T[] {
  return rows.flatMap((row) => {
    try {
      return [parse(row)];
    } catch (error) {
      if (isFault(error, 'bad-row')) return [];
      throw error;
    }
  });
}
