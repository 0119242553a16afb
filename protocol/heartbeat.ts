/**
 * Two small files beside outbound.db, each one line of JSON, each written by one pwrite: losing either loses no
 * message. A line that does not parse counts as absent.
 */
import { openSync, closeSync, writeSync } from 'node:fs';
import { LIMITS } from './limits.ts';

/** What a run is busy with. Claims are void with their run. `beat` grows; times are milliseconds of the runner. */
export type Heartbeat = {
  run: number;
  beat: number;
  turn: string | null;
  claims: string[];
  tool: string | null;
  deadline: number | null;
};

export type Progress = {
  run: number;
  turn: string | null;
  state: 'idle' | 'thinking' | 'tool' | 'retrying';
  /** The tool's name, or why a retry is waited for. */
  detail: string | null;
  since: string;
};

/** Keeps one descriptor open on a pre-made file and overwrites its one line. */
export class LineFile<T extends object> {
  readonly #fd: number;
  readonly #bytes: number;

  constructor(path: string, bytes: number) {
    this.#fd = openSync(path, 'r+');
    this.#bytes = bytes;
  }

  write(value: T): void {
    const line = Buffer.from(`${JSON.stringify(value)}\n`);
    if (line.length > this.#bytes) return;
    writeSync(this.#fd, line, 0, line.length, 0);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

export const heartbeatFile = (path: string): LineFile<Heartbeat> => new LineFile(path, LIMITS.heartbeatBytes);
export const progressFile = (path: string): LineFile<Progress> => new LineFile(path, LIMITS.progressBytes);

function firstLine(content: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(content.split('\n', 1)[0] ?? '');
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= 200;

/** Content of heartbeat → value, or null when it is empty, torn or hostile. */
export function parseHeartbeat(content: string): Heartbeat | null {
  const it = firstLine(content);
  if (!it || !Number.isSafeInteger(it.run) || !Number.isSafeInteger(it.beat) || !Array.isArray(it.claims)) return null;
  const claims = it.claims.filter(isText).slice(0, LIMITS.batchMessages * 2);
  return {
    run: it.run as number,
    beat: it.beat as number,
    turn: isText(it.turn) ? it.turn : null,
    claims,
    tool: isText(it.tool) ? it.tool : null,
    deadline: Number.isSafeInteger(it.deadline) ? (it.deadline as number) : null,
  };
}

const STATES = ['idle', 'thinking', 'tool', 'retrying'] as const;

/** Content of progress → value, or null. */
export function parseProgress(content: string): Progress | null {
  const it = firstLine(content);
  const state = STATES.find((known) => known === it?.state);
  if (!it || !state || !Number.isSafeInteger(it.run) || !isText(it.since)) return null;
  return {
    run: it.run as number,
    turn: isText(it.turn) ? it.turn : null,
    state,
    detail: isText(it.detail) ? it.detail : null,
    since: it.since,
  };
}
