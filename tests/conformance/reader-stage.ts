/** The reader over two sessions: one of an attacker, whose out/ folder a test spoils by hand, and one of somebody else. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { makeDurable } from '@halfdoor/protocol/durable';
import { OutboundWriter } from '@halfdoor/protocol/runner';
import type { Clock } from '../../host/clock.ts';
import { homeAt, sessionPaths, type Home } from '../../host/home.ts';
import { makeLog } from '../../host/log.ts';
import type { OutboundReader, ReadResult } from '../../host/outbound/reader.ts';
import { startReader } from '../../host/outbound/readers.ts';
import { descendants } from '../../host/sandboxes/launched.ts';
import { ensureTemplates, makeSessionFolder } from '../../host/sessions/folder.ts';
import { bunPath, distPath } from '../world/programs.ts';

export const BAD = '01900000-0000-7000-8000-00000000000b';
export const GOOD = '01900000-0000-7000-8000-00000000000a';
export const AT = '2026-01-02T03:04:05.678Z';

export type Place = {
  home: Home;
  /** For what a test makes itself. */
  folder: string;
  out: string;
  outbound: string;
  reader: OutboundReader;
  clock: TestClock;
  /** What the host logged. */
  log(): string;
  addSession(id: string): string;
  /** A reader in the place of one that was closed. */
  reopen(): void;
};
export type Attack = (name: string, body: (place: Place) => Promise<void>) => void;

/** Deadlines are so many times longer here, or a busy machine would miss them with reads that only wait their turn. */
const SLOWER = 4;

/** The system's time, counting what is set and neither cancelled nor due; a test can have it all due at once. */
export class TestClock implements Clock {
  readonly #set = new Map<NodeJS.Timeout, () => void>();
  slower = SLOWER;

  now(): Date {
    return new Date();
  }

  after(ms: number, fn: () => void): { cancel(): void } {
    const due = (): void => {
      this.#set.delete(timer);
      fn();
    };
    const timer = setTimeout(due, ms * this.slower);
    this.#set.set(timer, due);
    const cancel = (): void => {
      this.#set.delete(timer);
      clearTimeout(timer);
    };
    return { cancel };
  }

  soon(fn: () => void): void {
    setImmediate(fn);
  }

  get pending(): number {
    return this.#set.size;
  }

  fire(): void {
    for (const [timer, due] of [...this.#set]) {
      clearTimeout(timer);
      due();
    }
  }
}

/** Makes tests; after each body the other session must be served as ever, and nothing may be left over. */
export function attacksOn(walled: boolean, dist: (folder: string) => string = distPath): Attack {
  return (name, body) => {
    test(`${walled ? 'walled' : 'plain'} reader: ${name}`, async (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'hd-reader-'));
      const home = homeAt(join(folder, 'home'));
      for (const dir of [home.sessions, home.out]) mkdirSync(dir, { recursive: true });
      const templates = ensureTemplates(home, makeDurable());
      const addSession = (id: string): string => {
        const { outbound } = makeSessionFolder(home, templates, id, makeDurable());
        say(outbound, 1, id);
        return outbound;
      };
      for (const id of [BAD, GOOD]) addSession(id);
      const program = { bun: bunPath(), folder: dist(folder), entry: 'runner.js' };
      const clock = new TestClock();
      let log = '';
      const logged = makeLog(
        (line) => (log += line),
        clock.now,
        (text) => text,
      );
      const open = (): OutboundReader => startReader({ home, program, clock, log: logged, walled });
      let reader = open();
      const reopen = (): void => void (reader = open());
      t.after(async () => {
        await reader.close();
        rmSync(folder, { recursive: true, force: true });
      });
      const { out, outbound } = sessionPaths(home, BAD);
      await body({ home, folder, out, outbound, reader, clock, log: () => log, addSession, reopen });
      assert.deepEqual(textsOf(await reader.read(GOOD, 0)), [GOOD], 'the other session is not served');
      assert.equal(clock.pending, 0, 'a timer is left');
      const beside = readdirSync(home.out, { recursive: true }).filter((it) => /-(wal|shm)$/.test(String(it)));
      assert.deepEqual(beside, [], 'the reader made files of its own');
    });
  };
}

/** One message, written as the runner does. */
export function say(outbound: string, run: number, text: string): void {
  const writer = new OutboundWriter(outbound, run, makeDurable());
  const message = { kind: 'message' as const, destination: 'home', thread: null, text };
  writer.write('say', {
    messages: [{ id: crypto.randomUUID(), turn: 't', answers: [], timestamp: AT, ...message }],
    seenSeq: 0,
  });
  writer.close();
}

/** What an agent can do to its file with SQLite alone: no check and no defence is in its way. */
export function sql(path: string, text: string): void {
  const db = new DatabaseSync(path, { defensive: false });
  db.exec(`pragma ignore_check_constraints = on; ${text}`);
  db.close();
}

export const failureOf = (result: ReadResult): string => (result.ok ? 'ok' : result.failure);

export function textsOf(result: ReadResult): unknown[] {
  assert.ok(result.ok, JSON.stringify(result));
  return result.messages.map(({ content }) => (JSON.parse(String(content)) as { text: unknown }).text);
}

/** The reader's processes, the outermost first; the last one opens the files. */
export function readerPids(): number[] {
  return descendants(process.pid).filter((pid) => argvOf(pid).some((it) => it.endsWith('/reader.js')));
}

/** What the innermost of them has open. */
export function filesOpen(): string[] {
  const fds = `/proc/${readerPids().at(-1)}/fd`;
  return readdirSync(fds).flatMap((fd) => {
    try {
      return [readlinkSync(join(fds, fd))];
    } catch {
      return [];
    }
  });
}

function argvOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
