/** What every sandbox promises, whatever kind it is. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { makeDurable } from '@halfdoor/protocol/durable';
import { listenBell, type BellHost } from '@halfdoor/protocol/host';
import { homeAt, sessionPaths, type SessionPaths } from '../../host/home.ts';
import { isAlive } from '../../host/sandboxes/launched.ts';
import { makeSandboxes } from '../../host/sandboxes/index.ts';
import { SandboxError, type RunningSandbox, type SandboxKind, type SandboxSpec } from '../../host/sandboxes/sandbox.ts';
import { reapStrays } from '../../host/sandboxes/strays.ts';
import { ensureTemplates, makeSessionFolder } from '../../host/sessions/folder.ts';
import { bunPath } from '../world/programs.ts';

const SESSION = '01900000-0000-7000-8000-000000000001';

class Stage {
  readonly folder = mkdtempSync(join(tmpdir(), 'hd-box-'));
  readonly home = homeAt(join(this.folder, 'home'));
  readonly paths: SessionPaths = sessionPaths(this.home, SESSION);
  readonly spec: SandboxSpec;
  readonly #kind: SandboxKind;
  readonly #started: RunningSandbox[] = [];
  #bell: BellHost | null = null;
  #rings = 0;
  #wake: () => void = () => {};

  constructor(kind: SandboxKind) {
    this.#kind = kind;
    const durable = makeDurable();
    for (const dir of [this.home.sessions, this.home.out, this.home.agents]) mkdirSync(dir, { recursive: true });
    makeSessionFolder(this.home, ensureTemplates(this.home, durable), SESSION, durable);
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
      run: 1,
      recover: false,
      program: { bun: bunPath(), folder: join(import.meta.dirname, 'peers'), entry: 'peer.ts' },
    };
  }

  async start(verb: string, more: Partial<SandboxSpec> = {}): Promise<RunningSandbox> {
    this.#bell ??= await listenBell(join(this.folder, 'run', 'bell.sock'), () => {
      this.#rings += 1;
      this.#wake();
    });
    writeFileSync(join(this.paths.work, 'verb'), verb);
    const sandboxes = makeSandboxes({ home: this.home, uid: process.getuid?.() ?? 0 });
    const running = await sandboxes[this.#kind].start({ ...this.spec, ...more });
    this.#started.push(running);
    return running;
  }

  /** Waits for a ring that carries what it was waited for: `done` says whether it has come. */
  async until(done: () => boolean): Promise<void> {
    for (;;) {
      const rung = new Promise<void>((resolve) => (this.#wake = resolve));
      if (done()) return;
      await rung;
    }
  }

  /** Connecting is one ring, the byte behind it the second; they may come as one. */
  rung(): Promise<void> {
    return this.until(() => this.#rings > 0);
  }

  ring(): void {
    this.#bell?.ring();
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
    await this.#bell?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

type Staged = (name: string, body: (stage: Stage, t: TestContext) => Promise<void>) => void;

export function sandboxCases(kind: SandboxKind): void {
  const staged: Staged = (name, body) =>
    void test(`${kind}: ${name}`, async (t) => {
      const stage = new Stage(kind);
      t.after(() => stage.close());
      await body(stage, t);
    });
  endings(kind, staged);
  crossings(staged);
  startings(staged);
}

function endings(kind: SandboxKind, staged: Staged): void {
  staged('the exit code and the last words come out', async (stage) => {
    const exit = await (await stage.start('exits')).gone;
    assert.equal(exit.code, 7);
    assert.match(exit.stderr, /boom/);
  });

  staged('stop lets a transaction under way be finished', async (stage) => {
    const running = await stage.start('commits');
    await stage.rung();
    assert.deepEqual((({ code, signal }) => ({ code, signal }))(await running.stop()), { code: 0, signal: null });
    const db = new DatabaseSync(join(stage.paths.work, 't.db'));
    assert.equal(db.prepare('select count(*) as n from t').get()?.n, 1);
    db.close();
  });

  staged('stop ends one that does not listen', async (stage) => {
    const running = await stage.start('deaf');
    await stage.rung();
    const inside = running.pids();
    await running.stop();
    assert.deepEqual(inside.filter(isAlive), []);
  });

  staged('after kill nothing is left, and stopping what is gone does no harm', async (stage) => {
    const running = await stage.start('breeds');
    await stage.rung();
    const inside = running.pids();
    assert.ok(inside.includes(running.pid));
    running.kill();
    const exit = await running.gone;
    const held = kind === 'process' ? [running.pid] : inside;
    assert.deepEqual(held.filter(isAlive), []);
    running.kill();
    assert.deepEqual(await running.stop(), exit);
  });
}

function crossings(staged: Staged): void {
  staged('locks and bells cross, both ways', async (stage) => {
    const outer = new DatabaseSync(stage.paths.outbound, { timeout: 0 });
    const held = new DatabaseSync(join(stage.paths.work, 'host.db'), { timeout: 0 });
    held.exec('create table t (a); begin immediate');
    await stage.start('locks');
    await stage.rung();
    assert.throws(() => outer.exec('begin immediate'), /locked/);
    stage.ring();
    await stage.until(() => stage.said !== undefined);
    assert.deepEqual(stage.said, { locked: true });
    outer.exec('begin immediate; rollback');
    outer.close();
    held.close();
  });

  staged('the environment inside is the named list', async (stage) => {
    await stage.start('tells');
    await stage.until(() => stage.said !== undefined);
    const { env } = stage.said as { env: string[] };
    assert.deepEqual(
      env.filter((name) => name !== 'PWD'),
      ['HOME', 'LANG', 'PATH', 'TMPDIR'],
    );
  });
}

function startings(staged: Staged): void {
  staged('what cannot start says what to do, and leaves nothing', async (stage) => {
    const program = { ...stage.spec.program, bun: '/nowhere/bun' };
    const failed = await stage.start('exits', { program }).then(
      (running) => running.gone,
      (error: unknown) => error,
    );
    // Where the sandbox itself starts, the program in it does not: either way there is no run.
    if (failed instanceof Error) {
      assert.ok(failed instanceof SandboxError, String(failed));
      assert.ok(failed.next.length > 10);
    } else assert.notEqual((failed as { code: number }).code, 0);
    assert.equal(await reapStrays(stage.home.label), 0);
  });

  staged('what a dead host left is found by the label of its install, and no other', async (stage) => {
    const running = await stage.start('deaf');
    await stage.rung();
    assert.equal(await reapStrays('another1'), 0);
    assert.equal(await reapStrays(stage.home.label.slice(0, 4)), 0);
    assert.ok(isAlive(running.pid));
    assert.ok((await reapStrays(stage.home.label)) >= 1);
    assert.notEqual((await running.gone).signal, null);
  });
}
