/**
 * What the reader process says, parsed at the border: whoever took it over by a file of theirs must not reach the host.
 * The rows themselves are parsed where they are collected.
 */
import type { Readable } from 'node:stream';
import { LIMITS } from '@halfdoor/protocol/limits';
import { READ_FAILURES, type PieceResult, type ReadFailure, type ReadResult } from './reader.ts';

export type Said = Record<string, unknown>;
export type Answer = { ready: true } | { ready: false; id: number; said: Said };
export type Failed = Exclude<ReadResult, { ok: true }>;

/** JSON writes no byte of a file as more than six characters. */
const LINE_CHARS = 8 * LIMITS.outboundDbBytes;

/** Calls `onLine` for each line; null once one is too long to be an answer. Nothing follows then. */
export function readLines(stream: Readable, onLine: (line: string | null) => void): void {
  let parts: string[] = [];
  let length = 0;
  // By hand: readline takes U+2028 for the end of a line, and a message may hold one.
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    const [first = '', ...more] = chunk.split('\n');
    parts.push(first);
    length += first.length;
    for (const next of more) {
      onLine(parts.join(''));
      parts = [next];
      length = next.length;
    }
    if (length <= LINE_CHARS) return;
    stream.destroy();
    onLine(null);
  });
}

/** Null for what the reader never says. */
export function parseAnswer(line: string): Answer | null {
  let it: unknown;
  try {
    it = JSON.parse(line);
  } catch {
    return null;
  }
  if (!isObject(it)) return null;
  if (it.ready === true) return { ready: true };
  return typeof it.id === 'number' ? { ready: false, id: it.id, said: it } : null;
}

/** What was said to a read; null when it is no answer to one. */
export function readResultOf(said: Said): ReadResult | null {
  if (said.ok !== true) return failureOf(said);
  const { messages, acks, cursor, heartbeat, progress } = said;
  if (!isRows(messages) || !isRows(acks) || !Number.isSafeInteger(cursor)) return null;
  if (typeof heartbeat !== 'string' || typeof progress !== 'string') return null;
  return { ok: true, messages, acks, cursor: cursor as number, heartbeat, progress };
}

/** What was said when a piece of a file was asked for. */
export function pieceOf(said: Said): PieceResult | null {
  if (said.ok !== true) return failureOf(said);
  const { size, seen, data } = said;
  if (!Number.isSafeInteger(size) || typeof seen !== 'string' || seen.length > 200 || typeof data !== 'string')
    return null;
  const bytes = Buffer.from(data, 'base64');
  return bytes.length > LIMITS.pieceBytes ? null : { ok: true, size: size as number, seen, bytes };
}

function failureOf({ failure, detail }: Said): Failed | null {
  if (!READ_FAILURES.includes(failure as ReadFailure) || typeof detail !== 'string') return null;
  return { ok: false, failure: failure as ReadFailure, detail };
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const isRows = (value: unknown): value is Record<string, unknown>[] =>
  Array.isArray(value) && value.length <= LIMITS.collectRows && value.every(isObject);
