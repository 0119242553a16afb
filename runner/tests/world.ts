/** A session as the host makes it, and the real runner on it: messages go in by the host's door, rows come out by the reader's. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
  parseOutbound,
} from '@halfdoor/protocol/host';
import type { BellHost } from '@halfdoor/protocol/host';
import type { Ack, Address, NewInbound, OutboundMessage } from '@halfdoor/protocol/message';
import { OUTBOUND_VERSION, readOutboundRows, SessionFile } from '@halfdoor/protocol/reader';

export const HOME: Address = { channel: 'terminal', chat: 'a', thread: null };
export const OFFICE: Address = { channel: 'terminal', chat: 'b', thread: null };
const AT = '2026-01-02T03:04:05.678Z';

export type Exit = { code: number | null; signal: string | null };

export class Session {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'hd-runner-'));
  readonly inbound: InboundWriter;
  readonly #durable = makeDurable();
  #bell: BellHost | null = null;
  #wake: () => void = () => {};
  #children: ChildProcess[] = [];
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
    const destinations = [
      { localName: 'home', targetType: 'chat' as const, address: HOME },
      { localName: 'office', targetType: 'chat' as const, address: OFFICE },
    ];
    const routing = { seqFloor: 0, agent: 'a', provider: 'mock', model: null, api: null, zone: 'UTC' };
    this.inbound.project({ destinations, routing, cursor: 0 });
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
    this.#children.push(child);
    const exit = new Promise<Exit>((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
    void exit.then(() => this.look());
    return { child, exit };
  }

  /** A chat message from HOME unless told otherwise; its id is its text's first word where none is given. */
  tell(text: string, more: Partial<NewInbound> = {}): string {
    return this.project({ kind: 'chat', text, ...more } as Partial<NewInbound>);
  }

  project(it: Partial<NewInbound>): string {
    const id = it.id ?? crypto.randomUUID();
    const base = { id, timestamp: AT, wakes: true, address: HOME, sender: 'Ada', role: 'owner' as const };
    this.inbound.project({ messages: [{ ...base, ...it } as NewInbound], cursor: this.#cursor });
    this.#bell?.ring();
    return id;
  }

  /** Waits until `pick` finds something in what came out. */
  async until<T>(pick: () => T | undefined | false): Promise<T> {
    for (;;) {
      const changed = new Promise<void>((resolve) => (this.#wake = resolve));
      this.#read();
      const found = pick();
      if (found !== undefined && found !== false) return found;
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

  /** Reads again at once: for a session without a bell. */
  look(): void {
    this.#wake();
  }

  #read(): void {
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

  async close(): Promise<void> {
    await this.#bell?.close();
    for (const child of this.#children) {
      if (child.exitCode === null && child.signalCode === null) {
        const gone = new Promise((resolve) => child.once('close', resolve));
        child.kill('SIGKILL');
        await gone;
      }
    }
    this.inbound.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async closeBell(): Promise<void> {
    await this.#bell?.close();
    this.#bell = null;
  }
}

/** A session with a run on it, for one test. */
export async function inSession(body: (session: Session) => Promise<void>): Promise<void> {
  const session = new Session();
  try {
    await session.listen();
    await body(session);
  } finally {
    await session.close();
  }
}
