/** A session as the host makes it, and the real runner on it: messages go in by the host's door, rows come out by the reader's. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeDurable } from '@halfdoor/protocol/durable';
import {
  InboundWriter,
  inboundSchema,
  listenBell,
  makeTemplate,
  outboundSchema,
  parseAck,
  parseHeartbeat,
  parseOutbound,
  parseProgress,
} from '@halfdoor/protocol/host';
import type { BellHost, Heartbeat, Progress } from '@halfdoor/protocol/host';
import type { Ack, Address, Destination, NewInbound, OutboundMessage, Routing } from '@halfdoor/protocol/message';
import { OUTBOUND_VERSION, readOutboundRows, SessionFile } from '@halfdoor/protocol/reader';
import { OutboundWriter } from '@halfdoor/protocol/runner';

export const HOME: Address = { channel: 'terminal', chat: 'a', thread: null };
export const OFFICE: Address = { channel: 'terminal', chat: 'b', thread: null };
export const DESTINATIONS: Destination[] = [
  { localName: 'home', targetType: 'chat', address: HOME },
  { localName: 'office', targetType: 'chat', address: OFFICE },
];
const AT = '2026-01-02T03:04:05.678Z';

export const STOP = { kind: 'control', control: { verb: 'stop' }, wakes: false, address: null } as const;

/** For a test that waits out a poll or a backoff of the runner. */
export const SLOW = { timeout: 240_000 };

export type Exit = { code: number | null; signal: string | null };

export class Session {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'hd-runner-'));
  readonly inbound: InboundWriter;
  readonly #durable = makeDurable();
  #bell: BellHost | null = null;
  #wake: () => void = () => {};
  #runs: ChildProcess[] = [];
  #pipes: ChildProcess[] = [];
  #cursor = 0;
  readonly messages: OutboundMessage[] = [];
  readonly acks: Ack[] = [];
  stderr = '';

  constructor() {
    for (const name of ['in', 'out/files', 'work/home', 'run', 'agent'])
      mkdirSync(join(this.folder, name), { recursive: true });
    makeTemplate(join(this.folder, 'in', 'inbound.db'), inboundSchema(), this.#durable);
    makeTemplate(join(this.folder, 'out', 'outbound.db'), outboundSchema(), this.#durable);
    for (const name of ['outbound.db-journal', 'heartbeat', 'progress'])
      writeFileSync(join(this.folder, 'out', name), '');
    this.inbound = new InboundWriter(join(this.folder, 'in', 'inbound.db'), this.#durable);
    this.inbound.project({ destinations: DESTINATIONS, cursor: 0 });
    this.route({});
  }

  /** What the run is to work with, as the host writes it before a wake. */
  route(more: Partial<Routing>): void {
    const routing = {
      seqFloor: 0,
      agent: 'a',
      provider: 'mock',
      model: null,
      api: null,
      zone: 'UTC',
      folder: null,
      ...more,
    };
    this.inbound.project({ routing, cursor: this.#cursor });
  }

  get outbound(): string {
    return join(this.folder, 'out', 'outbound.db');
  }

  async listen(): Promise<void> {
    this.#bell = await listenBell(join(this.folder, 'run', 'bell.sock'), () => this.look());
  }

  /** Starts a run. Its exit is awaited by the caller, or by `close`. */
  start(run: number, ...flags: string[]): { child: ChildProcess; exit: Promise<Exit> } {
    const main = join(import.meta.dirname, '..', 'main.ts');
    const env = { PATH: process.env.PATH ?? '', HOME: join(this.folder, 'work', 'home') };
    const argv = [main, String(run), this.folder, 'label', ...flags];
    const child = spawn(process.execPath, argv, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (this.stderr += chunk));
    this.#runs.push(child);
    const exit = new Promise<Exit>((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
    void exit.then(() => this.look());
    return { child, exit };
  }

  /** A chat message from HOME unless told otherwise. */
  tell(text: string, more: Partial<NewInbound> = {}): string {
    return this.project({ kind: 'chat', text, ...more } as Partial<NewInbound>);
  }

  project(it: Partial<NewInbound>): string {
    const [id = ''] = this.projectAll([it]);
    return id;
  }

  /** All in one transaction, and one ring after it. */
  projectAll(them: readonly Partial<NewInbound>[]): string[] {
    const base = { timestamp: AT, wakes: true, address: HOME, sender: 'Ada', role: 'owner' as const };
    const messages = them.map((it) => ({ ...base, id: crypto.randomUUID(), ...it }) as NewInbound);
    this.inbound.project({ messages, cursor: this.#cursor });
    this.#bell?.ring();
    return messages.map((it) => it.id);
  }

  /** Waits until `pick` finds something in what came out. Throws when no run is left that could write it. */
  async until<T>(pick: () => T | undefined | false): Promise<T> {
    for (;;) {
      const changed = new Promise<void>((resolve) => (this.#wake = resolve));
      const over = this.#runs.length > 0 && this.#runs.every(hasEnded);
      this.read();
      const found = pick();
      if (found !== undefined && found !== false) return found;
      if (over) throw new Error(`every run has ended, and this was not among what they wrote: ${this.stderr}`);
      await changed;
    }
  }

  acked(id: string): Promise<Ack> {
    return this.until(() => this.acks.find((ack) => ack.messageId === id));
  }

  /** Texts sent, oldest first. */
  get said(): string[] {
    return this.messages.flatMap((it) => (it.kind === 'message' ? [it.text] : []));
  }

  /** Lets `until` read again. */
  look(): void {
    this.#wake();
  }

  /** Takes in what has come out since the last time. */
  read(): void {
    const file = new SessionFile(this.outbound, { access: 'reads', timeoutMs: 1_000, version: OUTBOUND_VERSION });
    try {
      const rows = readOutboundRows(file, this.#cursor, 500);
      this.messages.push(...rows.messages.map(parseOutbound));
      this.acks.push(...rows.acks.map(parseAck));
      this.#cursor = rows.cursor;
    } finally {
      file.close();
    }
  }

  /** The provider's handle as the file holds it. With no run alive only: takes the file over as `run`. */
  continuation(run: number): string | null {
    const outbound = new OutboundWriter(this.outbound, run, this.#durable);
    try {
      return outbound.state('continuation:mock');
    } finally {
      outbound.close();
    }
  }

  /** What the run says it is at. */
  heartbeat(): Heartbeat | null {
    return parseHeartbeat(readFileSync(join(this.folder, 'out', 'heartbeat'), 'utf8'));
  }

  /** What the person who waits is told. */
  progress(): Progress | null {
    return parseProgress(readFileSync(join(this.folder, 'out', 'progress'), 'utf8'));
  }

  /** A named pipe in the work folder, where a command inside and the test wait for each other. */
  pipe(name: string): { heard(): Promise<string>; open(): void } {
    const path = join(this.folder, 'work', name);
    execFileSync('mkfifo', [path]);
    // Begun at once, in a process of its own, so that no thread of this one is held by a pipe that nobody opens.
    const begin = (script: string): ChildProcess => {
      const child = spawn('/bin/sh', ['-c', script, 'sh', path], { stdio: ['ignore', 'pipe', 'inherit'] });
      this.#pipes.push(child);
      return child;
    };
    return { heard: () => wholeOutput(begin('exec cat "$1"')), open: () => void begin('exec echo go > "$1"') };
  }

  async close(): Promise<void> {
    await this.#bell?.close();
    for (const child of [...this.#runs, ...this.#pipes]) {
      if (hasEnded(child)) continue;
      const gone = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGKILL');
      await gone;
    }
    this.inbound.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async closeBell(): Promise<void> {
    await this.#bell?.close();
    this.#bell = null;
  }
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

function wholeOutput(child: ChildProcess): Promise<string> {
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  return new Promise((resolve) => child.once('close', () => resolve(output)));
}

/** A session with a bell, for one test. */
export async function inSession(body: (session: Session) => Promise<void>): Promise<void> {
  await inSilentSession(async (session) => {
    await session.listen();
    await body(session);
  });
}

/** A session whose host has no bell. */
export async function inSilentSession(body: (session: Session) => Promise<void>): Promise<void> {
  const session = new Session();
  try {
    await body(session);
  } finally {
    await session.close();
  }
}
