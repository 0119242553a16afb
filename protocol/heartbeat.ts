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

/**
 * What is known so far of a message that is still being written: `text` stands at character `at` of it and is its newest
 * part, at most `LIMITS.saidBytes`. A beginning of what will be sent, or the try is given up.
 */
export type Said = {
  /** Name of the destination, as the agent wrote it. */
  to: string;
  /** Number of the message in its turn, from 0; a try that begins anew goes on counting. */
  reply: number;
  at: number;
  text: string;
};

/** `waiting`: the model was asked and has said nothing yet. `writing`: its answer is coming. */
const STATES = ['idle', 'waiting', 'thinking', 'writing', 'tool', 'retrying'] as const;

export type Progress = {
  run: number;
  turn: string | null;
  state: (typeof STATES)[number];
  /** The tool's name, or why a retry is waited for. */
  detail: string | null;
  since: string;
  said: Said | null;
};

/** Keeps one descriptor open on a pre-made file and overwrites its one line. */
export class LineFile<T extends object> {
  readonly #fd: number;
  readonly #bytes: number;
  readonly #shorter: (value: T) => T | null;

  /** `shorter` gives a value that says less, for a line that is over `bytes`; null when there is none. */
  constructor(path: string, bytes: number, shorter: (value: T) => T | null) {
    this.#fd = openSync(path, 'r+');
    this.#bytes = bytes;
    this.#shorter = shorter;
  }

  /** One pwrite. False when the line is not in the file (it cannot be made short enough, or the disk is full). */
  write(value: T): boolean {
    for (let it: T | null = value; it !== null; it = this.#shorter(it)) {
      const line = Buffer.from(`${JSON.stringify(it)}\n`);
      if (line.length > this.#bytes) continue;
      try {
        return writeSync(this.#fd, line, 0, line.length, 0) === line.length;
      } catch {
        return false;
      }
    }
    return false;
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** The beat matters more than the claims: without it the run counts as dead. The newest claims are left out first. */
const fewerClaims = (it: Heartbeat): Heartbeat | null => {
  if (it.claims.length > 0) return { ...it, claims: it.claims.slice(0, Math.floor(it.claims.length * 0.9)) };
  return it.tool === null ? null : { ...it, tool: null };
};
/** The state matters more than the text: of that the older half is left out first, then all of it. */
const saysLess = (it: Progress): Progress | null => {
  if (it.said !== null) return { ...it, said: newerHalf(it.said) };
  return it.detail === null ? null : { ...it, detail: null };
};

function newerHalf(said: Said): Said | null {
  const cut = Math.ceil(said.text.length / 2);
  const text = said.text.slice(cut);
  return text === '' ? null : { ...said, at: said.at + cut, text };
}

export const heartbeatFile = (path: string): LineFile<Heartbeat> =>
  new LineFile(path, LIMITS.heartbeatBytes, fewerClaims);
export const progressFile = (path: string): LineFile<Progress> => new LineFile(path, LIMITS.progressBytes, saysLess);

function firstLine(content: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(content.split('\n', 1)[0] ?? '');
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= 200;

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** Content of heartbeat → value, or null when it is empty, torn or hostile. */
export function parseHeartbeat(content: string): Heartbeat | null {
  const it = firstLine(content);
  if (!it || !isCount(it.run) || !isCount(it.beat) || !Array.isArray(it.claims)) return null;
  const claims = it.claims.filter(isText).slice(0, LIMITS.batchMessages * 2);
  return {
    run: it.run,
    beat: it.beat,
    turn: isText(it.turn) ? it.turn : null,
    claims,
    tool: isText(it.tool) ? it.tool : null,
    deadline: isCount(it.deadline) ? it.deadline : null,
  };
}

/**
 * Hostile until shown otherwise. What it says may hold control characters, as a whole reply may: whoever shows it makes
 * them visible.
 */
function parseSaid(value: unknown): Said | null {
  if (typeof value !== 'object' || value === null) return null;
  const { to, reply, at, text } = value as Record<string, unknown>;
  if (!isText(to) || !isCount(reply) || !isCount(at) || typeof text !== 'string') return null;
  if (at > LIMITS.streamedChars || text === '' || Buffer.byteLength(text) > LIMITS.saidBytes) return null;
  return { to, reply, at, text: text.toWellFormed() };
}

/** Content of progress → value, or null. */
export function parseProgress(content: string): Progress | null {
  const it = firstLine(content);
  const state = STATES.find((known) => known === it?.state);
  if (!it || !state || !isCount(it.run) || !isText(it.since)) return null;
  return {
    run: it.run,
    turn: isText(it.turn) ? it.turn : null,
    state,
    detail: isText(it.detail) ? it.detail : null,
    since: it.since,
    said: parseSaid(it.said),
  };
}
