/**
 * What the reader process says, parsed at the border: whoever took it over by a file of theirs must not reach the host.
 * The rows themselves are parsed where they are collected.
 */
import type { Readable } from 'node:stream';
import { LIMITS } from '@halfdoor/protocol/limits';
import { READ_FAILURES, type ReadFailure, type ReadResult } from './reader.ts';

export type Answer = { ready: true } | { ready: false; id: number; result: ReadResult };

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
  const result = it.ok === true ? rowsOf(it) : failureOf(it);
  return result && typeof it.id === 'number' ? { ready: false, id: it.id, result } : null;
}

function rowsOf({ messages, acks, cursor, heartbeat, progress }: Record<string, unknown>): ReadResult | null {
  if (!isRows(messages) || !isRows(acks) || !Number.isSafeInteger(cursor)) return null;
  if (typeof heartbeat !== 'string' || typeof progress !== 'string') return null;
  return { ok: true, messages, acks, cursor: cursor as number, heartbeat, progress };
}

function failureOf({ failure, detail }: Record<string, unknown>): ReadResult | null {
  if (!READ_FAILURES.includes(failure as ReadFailure) || typeof detail !== 'string') return null;
  return { ok: false, failure: failure as ReadFailure, detail };
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const isRows = (value: unknown): value is Record<string, unknown>[] =>
  Array.isArray(value) && value.length <= LIMITS.collectRows && value.every(isObject);
