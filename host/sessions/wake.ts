/**
 * From asleep to a running sandbox: make the projection whole, number the run, listen, start. Whatever fails on the way
 * leaves nothing behind.
 */
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Durable } from '@halfdoor/protocol/durable';
import { isFault } from '@halfdoor/protocol/fault';
import { InboundWriter, type BellHost } from '@halfdoor/protocol/host';
import type { NewInbound, Routing } from '@halfdoor/protocol/message';
import type { Central } from '../db/central.ts';
import { place } from '../files/inbox.ts';
import { sessionPaths, socketFolder, type Home } from '../home.ts';
import { destinationsOf, openDispatches, recentReceipts } from '../inbound/enqueue.ts';
import {
  folderInside,
  SandboxError,
  type RunnerProgram,
  type RunningSandbox,
  type Sandbox,
  type SandboxKind,
} from '../sandboxes/sandbox.ts';
import { waitingOf, type Waiting } from './parked.ts';
import { rebuildInbound, type Templates } from './folder.ts';
import type { RunFolder, RunFolders } from './run-folders.ts';

export type Listener = { close(): Promise<void> };

export type WakeDeps = {
  central: Central;
  home: Home;
  runDir: string;
  templates: Templates;
  durable: Durable;
  program: RunnerProgram;
  sandboxes: Readonly<Record<SandboxKind, Sandbox>>;
  folders: RunFolders;
  now(): string;
  /** The agent's folder of instructions and memory. */
  agentDir(agentId: string): string;
  /** Listens for the session's run at `path`. */
  openBell(path: string, onRing: () => void): Promise<BellHost>;
  /** Opens the session's guarded way out at `path`. */
  openNet(path: string, agent: WakeAgent & { sessionId: string }, onSilent: () => void): Promise<Listener>;
};

export type WakeAgent = {
  id: string;
  name: string;
  provider: string;
  model: string | null;
  baseUrl: string | null;
  api: 'anthropic' | 'openai' | null;
  sandbox: SandboxKind;
  /** Name of the secret that the model endpoint is given. */
  key: string | null;
};

/** `ended`: nothing may wake it. */
export type Due = {
  agent: WakeAgent;
  run: number;
  cursor: number;
  ended: boolean;
  waiting: Waiting | null;
  open: NewInbound[];
};

/** Its folder checked and held. */
type Ready = Due & { folder: RunFolder | null };

export type LiveRun = {
  run: number;
  inbound: InboundWriter;
  bell: BellHost;
  net: Listener;
  sandbox: RunningSandbox;
};

const RECEIPTS_KEPT = 200;

/** What a session has to do, as central knows it; null when the session or its agent is gone. */
export async function due(deps: WakeDeps, sessionId: string): Promise<Due | null> {
  const row = await deps.central.read
    .selectFrom('sessions')
    .innerJoin('agents', 'agents.id', 'sessions.agent_id')
    .select(['agents.id', 'name', 'provider', 'model', 'base_url as baseUrl', 'api', 'sandbox', 'agents.key'])
    .select(['run', 'cursor', 'ended_at'])
    .where('sessions.id', '=', sessionId)
    .executeTakeFirst();
  if (!row) return null;
  const { run, cursor, ended_at, ...agent } = row;
  const ended = ended_at !== null;
  const [open, waiting] = [
    await openDispatches(deps.central.read, sessionId),
    await waitingOf(deps.central.read, sessionId),
  ];
  return { agent, run, cursor, ended, waiting, open };
}

/** Writes the whole projection and returns the open connection. A lost or broken file is made again. */
async function projectAll(deps: WakeDeps, sessionId: string, it: Ready): Promise<InboundWriter> {
  const inbound = await openInbound(deps, sessionId, it.cursor);
  try {
    const receipts = await recentReceipts(deps.central.read, sessionId, RECEIPTS_KEPT);
    const destinations = await destinationsOf(deps.central.read, it.agent.id);
    place(deps.home, sessionId, it.open);
    inbound.prune(new Set(it.open.map((message) => message.id)), receipts.at(-1)?.seq ?? 0);
    inbound.project({
      messages: it.open,
      destinations,
      receipts,
      routing: routingOf(deps, sessionId, it),
      cursor: it.cursor,
    });
    return inbound;
  } catch (error) {
    inbound.close();
    throw error;
  }
}

function routingOf(deps: WakeDeps, sessionId: string, { agent, cursor, folder: given }: Ready): Routing {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const { name, provider, model, api } = agent;
  const inside = folderInside(deps.sandboxes[agent.sandbox], sessionPaths(deps.home, sessionId).folder);
  const folder = given && { path: given.path, inside, access: given.access };
  return { seqFloor: cursor, agent: name, provider, model, api, zone, folder };
}

async function openInbound(deps: WakeDeps, sessionId: string, cursor: number): Promise<InboundWriter> {
  const { inbound } = sessionPaths(deps.home, sessionId);
  try {
    const writer = new InboundWriter(inbound, deps.durable);
    if (writer.sessionId() === sessionId) return writer;
    writer.close();
  } catch (error) {
    if (!isFault(error, 'not-a-session-file')) throw error;
  }
  // Each message ever accepted took at most 2 above what was there: no number of the lost file lies above this.
  const { count, forgotten } = await deps.central.read
    .selectFrom('dispatches')
    .innerJoin('sessions', 'sessions.id', 'dispatches.session_id')
    .select((eb) => [eb.fn.countAll<number>().as('count'), eb.fn.max('forgotten').as('forgotten')])
    .where('session_id', '=', sessionId)
    .executeTakeFirstOrThrow();
  rebuildInbound(deps.home, deps.templates, sessionId, cursor + 2 * (count + (forgotten ?? 0)), deps.durable);
  return new InboundWriter(inbound, deps.durable);
}

/** Numbers a run: the number is used up whether or not the sandbox starts. */
export function numberRun(deps: WakeDeps, sessionId: string): Promise<number> {
  return deps.central.commit('start-run', async (tx) => {
    const { run } = await tx
      .updateTable('sessions')
      .set((eb) => ({ run: eb('run', '+', 1) }))
      .where('id', '=', sessionId)
      .returning('run')
      .executeTakeFirstOrThrow();
    await tx.insertInto('runs').values({ session_id: sessionId, run, started_at: deps.now() }).execute();
    return run;
  });
}

/** Starts the sandbox of a numbered run. Throws `SandboxError`; nothing of the run is left then. */
async function startRun(
  deps: WakeDeps,
  sessionId: string,
  it: Ready,
  run: number,
  inbound: InboundWriter,
  onRing: () => void,
  end: (reason: 'silent') => void,
): Promise<LiveRun> {
  const socketDir = socketFolder(deps.runDir, sessionId);
  rmSync(socketDir, { recursive: true, force: true });
  mkdirSync(socketDir, { recursive: true, mode: 0o700 });
  const bell = await deps.openBell(join(socketDir, 'bell.sock'), onRing);
  let net: Listener | null = null;
  try {
    const asking = { ...it.agent, sessionId };
    net = await deps.openNet(join(socketDir, 'net.sock'), asking, () => end('silent'));
    for (const name of ['bell.sock', 'net.sock']) chmodSync(join(socketDir, name), 0o600);
    const sandbox = await deps.sandboxes[it.agent.sandbox].start(specOf(deps, sessionId, it, run, false));
    void sandbox.gone.then(() => deps.folders.release(sessionId));
    return { run, inbound, bell, net, sandbox };
  } catch (error) {
    await Promise.all([bell.close(), net?.close()]);
    rmSync(socketDir, { recursive: true, force: true });
    throw error instanceof SandboxError ? error : new SandboxError(String(error), 'See host.log in the home.');
  }
}

/**
 * The whole way to a running sandbox; `begin` is told the run's number before it starts, `end` why it should. Throws `SandboxError`,
 * `FolderFault` or a `Fault`, with nothing left behind but a number that is used up.
 */
export async function wake(
  deps: WakeDeps,
  sessionId: string,
  due: Due,
  begin: (run: number) => void,
  onRing: () => void,
  end: (reason: 'silent') => void,
): Promise<LiveRun> {
  const it = { ...due, folder: await deps.folders.take(sessionId) };
  let inbound: InboundWriter | null = null;
  try {
    inbound = await projectAll(deps, sessionId, it);
    const run = await numberRun(deps, sessionId);
    begin(run);
    return await startRun(deps, sessionId, it, run, inbound, onRing, end);
  } catch (error) {
    deps.folders.release(sessionId);
    inbound?.close();
    throw error;
  }
}

export function specOf(deps: WakeDeps, sessionId: string, it: Ready, run: number, recover: boolean) {
  const paths = sessionPaths(deps.home, sessionId);
  return {
    label: deps.home.label,
    sessionId,
    inDir: join(paths.folder, 'in'),
    outDir: paths.out,
    workDir: paths.work,
    agentDir: deps.agentDir(it.agent.id),
    socketDir: socketFolder(deps.runDir, sessionId),
    folder: it.folder,
    run,
    recover,
    program: deps.program,
  };
}
