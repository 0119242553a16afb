/** Keeps one reader process: a read past its deadline ends it, and everything else that waited is asked again of the next. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { outboundSchema, schemaFingerprint, OUTBOUND_VERSION } from '@halfdoor/protocol/host';
import { LIMITS } from '@halfdoor/protocol/limits';
import type { Clock, Timer } from '../clock.ts';
import type { Home } from '../home.ts';
import type { Log } from '../log.ts';
import type { RunnerProgram } from '../sandboxes/sandbox.ts';
import { runLabel } from '../sandboxes/label.ts';
import { checkDescriptors } from '../sandboxes/descriptors.ts';
import { endLabelled } from '../sandboxes/strays.ts';
import { withFilter } from '../sandboxes/syscall-filter.ts';
import { parseAnswer, pieceOf, readLines, readResultOf, type Failed, type Said } from './answer.ts';
import type { OutboundReader, PieceAt, PieceResult, ReadResult } from './reader.ts';

export type ReaderDeps = {
  home: Home;
  program: RunnerProgram;
  clock: Clock;
  log: Log;
  /** Behind bubblewrap: it sees the out/ folders, read-only, and nothing else. */
  walled: boolean;
};

type Waiting = {
  id: number;
  session: string;
  question: object;
  tries: number;
  /** False when this is no answer to it. */
  take(said: Said): boolean;
  fail(failed: Failed): void;
};

/** Failures of the process itself that one read survives. */
const TRIES = 2;
/** Until the next start after one that never came up: twice as long each time. */
const RESTART_MS = 200;
const RESTART_MAX_MS = 10_000;
/** One that is not ready by then never will be. */
const READY_MS = 5_000;
const ENDING: Failed = { ok: false, failure: 'timeout', detail: 'the host is ending' };

/** `name` tells it from the others of this home. Throws what keeps it from starting; later that is logged and tried again. */
export function startReaderProcess(deps: ReaderDeps, name: string): OutboundReader {
  return new ReaderProcess(deps, runLabel(deps.home.label, name));
}

class ReaderProcess implements OutboundReader {
  readonly walled: boolean;
  readonly #deps: ReaderDeps;
  /** Stands in its argv, as in that of every run: what is left of a dead host is found by it. */
  readonly #label: string;
  readonly #queue: Waiting[] = [];
  #restartMs = RESTART_MS;
  #child: ChildProcess | null = null;
  #ready = false;
  #nextId = 1;
  #deadline: Timer | null = null;
  #closed = false;

  constructor(deps: ReaderDeps, label: string) {
    this.#deps = deps;
    this.#label = label;
    this.walled = deps.walled;
    mkdirSync(deps.home.out, { recursive: true, mode: 0o700 });
    this.#start();
  }

  read(session: string, cursor: number): Promise<ReadResult> {
    return this.#put(session, { session, cursor }, readResultOf);
  }

  piece(session: string, name: string, at: PieceAt): Promise<PieceResult> {
    return this.#put(session, { session, piece: name, at }, pieceOf);
  }

  #put<T>(session: string, question: object, parse: (said: Said) => T | null): Promise<T | Failed> {
    if (this.#closed) return Promise.resolve(ENDING);
    return new Promise((resolve) => {
      const take = (said: Said): boolean => {
        const result = parse(said);
        if (result !== null) this.#end(() => resolve(result));
        return result !== null;
      };
      this.#queue.push({ id: this.#nextId++, session, question, tries: 0, take, fail: resolve });
      if (this.#queue.length === 1) this.#ask();
    });
  }

  forget(session: string): void {
    if (this.#ready) this.#child?.stdin?.write(`${JSON.stringify({ forget: session })}\n`);
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#deadline?.cancel();
    for (const { fail } of this.#queue.splice(0)) fail(ENDING);
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
    return new Promise((resolve) => {
      child.once('exit', () => resolve());
      child.kill('SIGKILL');
    });
  }

  #start(): void {
    // A spawn that runs out of descriptors half-way keeps those it had.
    checkDescriptors();
    const child = spawnReader(this.#deps, this.#label);
    this.#child = child;
    this.#ready = false;
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (stderr = (stderr + chunk).slice(-1000)));
    // It may be killed in the middle of a write to it: the exit below says so.
    child.stdin?.on('error', () => undefined);
    if (child.stdout) readLines(child.stdout, (line) => this.#onLine(child, line));
    child.once('error', (error) => (stderr = error.message));
    child.once('close', () => this.#onClose(child, stderr));
    // Killed in the middle of its start it leaves an inner one that waits for ever, with our pipes open: no close then.
    child.once('exit', () => void endLabelled((it) => it === this.#label));
    this.#deadline = this.#deps.clock.after(READY_MS, () => child.kill('SIGKILL'));
    const fingerprints = { [OUTBOUND_VERSION]: schemaFingerprint(outboundSchema()) };
    const root = this.walled ? '/out' : this.#deps.home.out;
    child.stdin?.write(`${JSON.stringify({ root, fingerprints })}\n`);
  }

  /** One question at a time: the deadline is then that of the read itself. */
  #ask(): void {
    const next = this.#queue[0];
    // One that is being ended is asked nothing: its last words would be taken for those of the next.
    if (!next || !this.#ready || !this.#child || this.#child.killed) return;
    next.tries += 1;
    const { id, session, question } = next;
    this.#child.stdin?.write(`${JSON.stringify({ id, ...question })}\n`);
    this.#deadline = this.#deps.clock.after(LIMITS.readerDeadlineMs, () => {
      this.#deps.log.warn('a read took too long; the reader is replaced', { session });
      this.#child?.kill('SIGKILL');
      this.#fail({ ok: false, failure: 'timeout', detail: `over ${LIMITS.readerDeadlineMs} ms` });
    });
  }

  #fail(failed: Failed): void {
    const first = this.#queue[0];
    if (first) this.#end(() => first.fail(failed));
  }

  /** The first of the queue has what it gets. */
  #end(resolve: () => void): void {
    this.#deadline?.cancel();
    this.#queue.shift();
    resolve();
  }

  #onLine(child: ChildProcess, line: string | null): void {
    if (child !== this.#child || child.killed || this.#closed) return;
    const answer = line === null ? null : parseAnswer(line);
    if (!this.#ready && answer?.ready) {
      this.#deadline?.cancel();
      this.#ready = true;
    } else if (!this.#ready || answer?.ready !== false || !this.#isTaken(answer.id, answer.said)) {
      this.#deps.log.warn('the reader said what nobody asked; it is replaced');
      child.kill('SIGKILL');
      return;
    }
    this.#ask();
  }

  #isTaken(id: number, said: Said): boolean {
    const first = this.#queue[0];
    return first?.id === id && first.take(said);
  }

  #onClose(child: ChildProcess, stderr: string): void {
    if (child !== this.#child || this.#closed) return;
    this.#deadline?.cancel();
    const wasReady = this.#ready;
    this.#ready = false;
    this.#deps.log.warn('the reader ended', { stderr: stderr.trim() });
    const first = this.#queue[0];
    if (first && first.tries >= TRIES)
      this.#fail({ ok: false, failure: 'timeout', detail: 'the reader ended twice on this file' });
    // One that never came up must not be started again in a tight circle.
    this.#restartMs = wasReady ? RESTART_MS : Math.min(2 * this.#restartMs, RESTART_MAX_MS);
    this.#startAfter(wasReady ? 0 : this.#restartMs);
  }

  #startAfter(ms: number): void {
    this.#deps.clock.after(ms, () => {
      if (this.#closed) return;
      try {
        this.#start();
      } catch (error) {
        this.#deps.log.error('the reader cannot be started; it is tried again', { error: String(error) });
        this.#restartMs = Math.min(2 * this.#restartMs, RESTART_MAX_MS);
        this.#startAfter(this.#restartMs);
      }
    });
  }
}

function spawnReader(deps: ReaderDeps, label: string): ChildProcess {
  const { bun, folder } = deps.program;
  const stdio: ['pipe', 'pipe', 'pipe'] = ['pipe', 'pipe', 'pipe'];
  if (!deps.walled) return spawn(bun, [`${folder}/reader.js`, label], { env: {}, cwd: '/', stdio });
  const argv = [
    ...['--core=0', '--fsize=0', '--', '/usr/bin/bwrap'],
    ...['--unshare-all', '--unshare-user', '--disable-userns', '--uid', '1000', '--gid', '1000', '--cap-drop', 'ALL'],
    ...['--new-session', '--die-with-parent', '--clearenv', '--seccomp', String(stdio.length)],
    ...['--ro-bind', '/usr', '/usr', '--tmpfs', '/usr/local'],
    ...['lib', 'lib64'].flatMap((dir) => ['--symlink', `usr/${dir}`, `/${dir}`]),
    ...['--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp'],
    ...['--ro-bind', bun, '/app/bun', '--ro-bind', folder, '/app/dist', '--ro-bind', deps.home.out, '/out'],
    ...['--remount-ro', '/', '--chdir', '/', '--', '/app/bun', '/app/dist/reader.js', label],
  ];
  return withFilter((filter) => spawn('/usr/bin/prlimit', argv, { env: {}, cwd: '/', stdio: [...stdio, filter] }));
}
