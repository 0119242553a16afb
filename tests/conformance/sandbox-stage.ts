/** One session of one install, and a peer that runs in its sandbox in the runner's place. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { makeDurable } from '@halfdoor/protocol/durable';
import { InboundWriter, listenBell, type BellHost } from '@halfdoor/protocol/host';
import type { Routing } from '@halfdoor/protocol/message';
import { homeAt, sessionPaths, type SessionPaths } from '../../host/home.ts';
import { makeSandboxes } from '../../host/sandboxes/index.ts';
import type { RunningSandbox, SandboxKind, SandboxSpec } from '../../host/sandboxes/sandbox.ts';
import { ensureTemplates, makeSessionFolder } from '../../host/sessions/folder.ts';
import { TEST_BASE } from '../world/engine.ts';
import { bunPath } from '../world/programs.ts';

export const SESSION = '01900000-0000-7000-8000-000000000001';

export type Staged = (name: string, body: (stage: Stage, t: TestContext) => Promise<void>) => void;

export const stagedOn =
  (kind: SandboxKind): Staged =>
  (name, body) =>
    void test(`${kind}: ${name}`, async (t) => {
      const stage = new Stage(kind);
      t.after(() => stage.close());
      await body(stage, t);
    });

export class Stage {
  readonly kind: SandboxKind;
  readonly folder = mkdtempSync(join(tmpdir(), 'hd-box-'));
  readonly home = homeAt(join(this.folder, 'home'));
  readonly paths: SessionPaths = sessionPaths(this.home, SESSION);
  readonly spec: SandboxSpec;
  readonly #sandboxes: ReturnType<typeof makeSandboxes>;
  readonly #started: RunningSandbox[] = [];
  #bell: BellHost | null = null;
  #rings = 0;
  #alive = 0;
  #lastWords = '';
  #wake: () => void = () => {};

  constructor(kind: SandboxKind) {
    this.kind = kind;
    const durable = makeDurable();
    for (const dir of [this.home.sessions, this.home.out, this.home.agents]) mkdirSync(dir, { recursive: true });
    makeSessionFolder(this.home, ensureTemplates(this.home, durable), SESSION, durable);
    this.#sandboxes = makeSandboxes({
      home: this.home,
      uid: process.getuid?.() ?? 0,
      env: { ...process.env, HALFDOOR_IMAGE: TEST_BASE },
    });
    const agentDir = join(this.home.agents, 'a');
    const socketDir = join(this.folder, 'run');
    for (const dir of [agentDir, socketDir]) mkdirSync(dir);
    this.spec = {
      label: this.home.label,
      sessionId: SESSION,
      inDir: join(this.paths.folder, 'in'),
      outDir: this.paths.out,
      workDir: this.paths.work,
      agentDir,
      socketDir,
      folder: null,
      run: 1,
      recover: false,
      program: { bun: bunPath(), folder: join(import.meta.dirname, 'peers'), entry: 'peer.ts' },
    };
  }

  /** What the peer does is `verb` of peers/peer.ts. */
  async start(verb: string, more: Partial<SandboxSpec> = {}): Promise<RunningSandbox> {
    await this.listen();
    rmSync(join(this.paths.work, 'said'), { force: true });
    writeFileSync(join(this.paths.work, 'verb'), verb);
    return this.attempt(more);
  }

  /** Starts what is there, as it is. */
  async attempt(more: Partial<SandboxSpec>): Promise<RunningSandbox> {
    const running = await this.#sandboxes[this.kind].start({ ...this.spec, ...more });
    this.#started.push(running);
    this.#alive += 1;
    void running.gone.then(({ stderr }) => {
      this.#alive -= 1;
      this.#lastWords = stderr;
      this.#wake();
    });
    return running;
  }

  /** What the real runner is told before it works. */
  route(routing: Routing): void {
    const inbound = new InboundWriter(this.paths.inbound, makeDurable());
    inbound.project({ routing, cursor: 0 });
    inbound.close();
  }

  async listen(): Promise<void> {
    this.#bell ??= await listenBell(join(this.folder, 'run', 'bell.sock'), () => {
      this.#rings += 1;
      this.#wake();
    });
  }

  /** Each ring asks `done` again. Throws when nothing is left that could ring. */
  async until(done: () => boolean): Promise<void> {
    for (;;) {
      const rung = new Promise<void>((resolve) => (this.#wake = resolve));
      const over = this.#started.length > 0 && this.#alive === 0;
      if (done()) return;
      if (over) throw new Error(`what was started has ended: ${this.#lastWords}`);
      await rung;
    }
  }

  get rings(): number {
    return this.#rings;
  }

  /** Connecting is a ring, and the byte behind it another one; they may come as one. */
  rung(): Promise<void> {
    return this.until(() => this.#rings > 0);
  }

  ring(): void {
    this.#bell?.ring();
  }

  async endBell(): Promise<void> {
    await this.#bell?.close();
    this.#bell = null;
  }

  get said(): unknown {
    try {
      return JSON.parse(readFileSync(join(this.paths.work, 'said'), 'utf8'));
    } catch {
      return undefined;
    }
  }

  async close(): Promise<void> {
    for (const it of this.#started) it.kill();
    await Promise.all(this.#started.map((it) => it.gone));
    await this.endBell();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** How often a case is gone through: a container takes a hundred times what bubblewrap takes. */
export const roundsOf = (kind: SandboxKind, rounds: number): number =>
  kind === 'docker' ? Math.ceil(rounds / 8) : rounds;

/** /proc/PID/stat from the state on (proc(5)): state, parent, process group, session, … Null when there is no such process. */
export function statOf(pid: number): string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}

/** Asked of /proc itself, not of what is tested. */
export const runs = (pid: number): boolean => !['Z', 'X', undefined].includes(statOf(pid)?.[0]);

/** Every process of the machine with this in its arguments. */
export function processesWith(argument: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(argument) && runs(pid);
      } catch {
        return false;
      }
    });
}
