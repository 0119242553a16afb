/**
 * The rows that cross the door, parsed once at the border into closed unions. A row that does not parse is a
 * `bad-row` fault; past these functions the types are trusted.
 */
import { Fault, isFault } from './fault.ts';
import { parseInFiles, parseOutFiles, type InboundFile } from './file.ts';
import { LIMITS } from './limits.ts';
import { bad, flag, json, oneOf, record, short, shortOrNull, text, time, wholeNumber, type Row } from './parse.ts';

export type { InboundFile } from './file.ts';
export type { Row } from './parse.ts';

/** One place where people talk. `thread` is null where the platform has none. Never three loose strings. */
export type Address = { channel: string; chat: string; thread: string | null };

export type Role = 'owner' | 'admin' | 'member' | 'none';

export type Control = { verb: 'stop' };

export type InboundMessage = {
  id: string;
  seq: number;
  timestamp: string;
  wakes: boolean;
  address: Address | null;
  sender: string | null;
  role: Role | null;
  withdrawn: boolean;
} & (
  | { kind: 'chat' | 'task' | 'webhook' | 'notice'; text: string; files: InboundFile[] }
  | { kind: 'control'; control: Control }
);

/** What the host projects; `seq` is minted by the file itself. */
export type NewInbound = {
  id: string;
  timestamp: string;
  wakes: boolean;
  address: Address | null;
  sender: string | null;
  role: Role | null;
} & (
  | { kind: 'chat' | 'task' | 'webhook' | 'notice'; text: string; files?: InboundFile[] }
  | { kind: 'control'; control: Control }
);

export type Destination = { localName: string; targetType: 'chat' | 'agent'; address: Address };

export type ModelApi = 'anthropic' | 'openai';
export type FolderAccess = 'read-write' | 'read-only';
/** A person's folder that a session works on: where it lies for the person, and where the runner finds it. */
export type RoutedFolder = { path: string; inside: string; access: FolderAccess };
export type Routing = {
  seqFloor: number;
  agent: string;
  provider: string;
  model: string | null;
  api: ModelApi | null;
  zone: string;
  folder: RoutedFolder | null;
};

export type Receipt = {
  seq: number;
  status: 'delivered' | 'failed' | 'refused';
  platformId: string | null;
  reason: string | null;
  timestamp: string;
};

export type OutboundKind = 'message' | 'action' | 'scratch';
export type OutboundMessage = {
  seq: number;
  id: string;
  run: number;
  turn: string;
  answers: string[];
  timestamp: string;
} &
  /** `files`: names in out/files/. */
  (
    | { kind: 'message'; destination: string; thread: string | null; text: string; files: string[] }
    | { kind: 'action'; action: string; input: Record<string, unknown> }
    | { kind: 'scratch'; text: string }
  );

/** What a runner hands over; `seq` and `run` are added by the writer. */
export type NewOutbound = { id: string; turn: string; answers: string[]; timestamp: string } & (
  | { kind: 'message'; destination: string; thread: string | null; text: string; files?: string[] }
  | { kind: 'action'; action: string; input: Record<string, unknown> }
  | { kind: 'scratch'; text: string }
);

export type AckStatus = 'done' | 'failed';
export type NewAck = { messageId: string; status: AckStatus; reason: string | null };
export type Ack = NewAck & { seq: number; run: number };

export function parseAddress(value: unknown): Address {
  const it = record(value, 'address');
  return {
    channel: short(it.channel, 'address.channel'),
    chat: short(it.chat, 'address.chat'),
    thread: shortOrNull(it.thread, 'address.thread'),
  };
}

export const sameChat = (a: Address, b: Address): boolean => a.channel === b.channel && a.chat === b.chat;

/**
 * `row` again, once it is sure that the other side of the door will take it: a row that it refused would be asked for
 * again and again. Throws `bad-input`.
 */
export function fit<R extends Row>(row: R, parse: (row: Row) => unknown): R {
  try {
    parse(row);
    return row;
  } catch (error) {
    if (!isFault(error, 'bad-row')) throw error;
    throw new Fault('bad-input', error.message.replace('bad row: ', ''), 'Mend or shorten it, then try again.');
  }
}

const IN_KINDS = ['chat', 'task', 'webhook', 'control', 'notice'] as const;
const APIS = ['anthropic', 'openai'] as const;
const ACCESSES = ['read-write', 'read-only'] as const;
const ROLES = ['owner', 'admin', 'member', 'none'] as const;

export function parseInbound(row: Row): InboundMessage {
  const kind = oneOf(row.kind, IN_KINDS, 'kind');
  const content = record(json(row.content, 'content'), 'content');
  const common = {
    id: short(row.id, 'id'),
    seq: wholeNumber(row.seq, 'seq'),
    timestamp: time(row.timestamp, 'timestamp'),
    wakes: flag(row.wakes, 'wakes'),
    address: row.address == null ? null : parseAddress(json(row.address, 'address')),
    sender: shortOrNull(row.sender, 'sender'),
    role: row.role == null ? null : oneOf(row.role, ROLES, 'role'),
    withdrawn: flag(row.withdrawn, 'withdrawn'),
  };
  if (kind === 'control') return { ...common, kind, control: { verb: oneOf(content.verb, ['stop'], 'control.verb') } };
  const files = parseInFiles(json(row.files, 'files'));
  return { ...common, kind, text: text(content.text, 'content.text'), files };
}

/** The content column of a row going in. */
export const inboundContent = (message: NewInbound): string =>
  JSON.stringify(message.kind === 'control' ? message.control : { text: message.text });

export function parseDestination(row: Row): Destination {
  return {
    localName: short(row.local_name, 'local_name'),
    targetType: oneOf(row.target_type, ['chat', 'agent'], 'target_type'),
    address: parseAddress(json(row.address, 'address')),
  };
}

export function parseRouting(row: Row): Routing {
  return {
    seqFloor: wholeNumber(row.seq_floor, 'seq_floor'),
    agent: short(row.agent, 'agent'),
    provider: short(row.provider, 'provider'),
    model: shortOrNull(row.model, 'model'),
    api: row.api == null ? null : oneOf(row.api, APIS, 'api'),
    zone: short(row.zone, 'zone'),
    folder: row.folder == null ? null : parseFolder(json(row.folder, 'folder')),
  };
}

function parseFolder(value: unknown): RoutedFolder {
  const it = record(value, 'folder');
  return {
    path: text(it.path, 'folder.path', LIMITS.pathBytes),
    inside: text(it.inside, 'folder.inside', LIMITS.pathBytes),
    access: oneOf(it.access, ACCESSES, 'folder.access'),
  };
}

const OUT_KINDS = ['message', 'action', 'scratch'] as const;

export function parseOutbound(row: Row): OutboundMessage {
  const kind = oneOf(row.kind, OUT_KINDS, 'kind');
  const answers = json(row.answers, 'answers');
  if (!Array.isArray(answers) || answers.length > LIMITS.answersPerRow) return bad('answers is not a short list');
  const common = {
    seq: wholeNumber(row.seq, 'seq'),
    id: short(row.id, 'id'),
    run: wholeNumber(row.run, 'run'),
    turn: short(row.turn, 'turn'),
    answers: answers.map((id) => short(id, 'answers')),
    timestamp: time(row.timestamp, 'timestamp'),
  };
  const content = record(json(row.content, 'content'), 'content');
  switch (kind) {
    case 'message':
      return {
        ...common,
        kind,
        destination: short(row.destination, 'destination'),
        thread: shortOrNull(row.thread, 'thread'),
        text: text(content.text, 'content.text'),
        files: parseOutFiles(content.files),
      };
    case 'action':
      return {
        ...common,
        kind,
        action: short(content.action, 'content.action'),
        input: record(content.input, 'content.input'),
      };
    case 'scratch':
      return { ...common, kind, text: text(content.text, 'content.text') };
  }
}

/** The content column of a row going out. */
export function outboundContent(message: NewOutbound): string {
  if (message.kind === 'action') return JSON.stringify({ action: message.action, input: message.input });
  const { text: said } = message;
  const files = message.kind === 'message' && message.files?.length ? { files: message.files } : {};
  return JSON.stringify({ text: said, ...files });
}

export function parseAck(row: Row): Ack {
  return {
    seq: wholeNumber(row.seq, 'seq'),
    messageId: short(row.message_id, 'message_id'),
    run: wholeNumber(row.run, 'run'),
    status: oneOf(row.status, ['done', 'failed'], 'status'),
    reason: row.reason == null ? null : text(row.reason, 'reason', 4096),
  };
}
