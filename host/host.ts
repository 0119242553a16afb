/** The wiring diagram: every part of the host, made once, each given what it needs. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Durable } from '@halfdoor/protocol/durable';
import { listenBell } from '@halfdoor/protocol/host';
import { LIMITS } from '@halfdoor/protocol/limits';
import { agentDir, sweepAgentFolders } from './agents/folder.ts';
import { lookAround, type Places } from './agents/folder-look.ts';
import type { Surroundings } from './agents/mountable.ts';
import { serveApi } from './api/server.ts';
import type { Channel } from './channels/channel.ts';
import { TerminalChannel } from './channels/terminal.ts';
import { isoNow, type Clock } from './clock.ts';
import { Central } from './db/central.ts';
import { lockHome } from './db/lock.ts';
import type { ReplayDeps } from './dead/replay.ts';
import { openNet } from './egress/net.ts';
import { realDisk, type Disk } from './files/disk.ts';
import { Outbox } from './files/outbox.ts';
import { Trash } from './files/remove.ts';
import { sweepHalfMade, sweepOver } from './files/sweep.ts';
import { homeAt, runDirFor, type Home } from './home.ts';
import { makeIds } from './ids.ts';
import { accept, type AcceptDeps } from './inbound/accept.ts';
import type { Incoming } from './inbound/normalise.ts';
import { errorText, type Log } from './log.ts';
import { Deliverer } from './outbound/deliver.ts';
import { startReader } from './outbound/reader-process.ts';
import { Retention } from './retention/retention.ts';
import { ensureRunDir } from './run-dir.ts';
import { makeSandboxes } from './sandboxes/index.ts';
import type { SandboxKind } from './sandboxes/sandbox.ts';
import { reapStrays } from './sandboxes/strays.ts';
import { ensureTemplates, makeSessionFolder } from './sessions/folder.ts';
import { RunFolders } from './sessions/run-folders.ts';
import { Sessions, type SessionsDeps } from './sessions/sessions.ts';
import { tellAgent } from './sessions/tell-agent.ts';
import type { Redactor } from './secrets/redact.ts';
import { Secrets, type Found } from './secrets/secrets.ts';
import { Signals } from './signals.ts';
import { describeAgent, statusView } from './status.ts';

export type HostOptions = {
  root: string;
  /** The pinned Bun, and the folder with runner.js and reader.js. */
  bun: string;
  dist: string;
  /** Secrets of the host's own environment, by name; kept in memory only. */
  environment: Readonly<Record<string, string>>;
  /** What the log goes through: it learns every secret that this host gets to know. */
  redactor: Redactor;
  env: { XDG_RUNTIME_DIR?: string | undefined; HOME?: string | undefined };
  uid: number;
  pid: number;
  clock: Clock;
  log: Log;
  durable: Durable;
  /** Called when somebody asks the host to end. */
  shutDown(): void;
};

export type Host = { home: Home; apiSocket: string; close(): Promise<void> };

const DRAIN_MS = 10_000;
/** A run is given time to stop, its file to be taken back: what takes longer goes on at the next start. */
const END_MS = LIMITS.stopGraceMs + LIMITS.recoverMs;

/** Opens a home and serves it. Throws `HomeLocked` when another host does. */
export async function openHost(options: HostOptions): Promise<Host> {
  const ground = await openGround(options);
  const { home, runDir, central, lock, keys, redactor } = ground;
  const sandboxes = makeSandboxes({ home, uid: options.uid });
  const probe = remember((kind: SandboxKind) => sandboxes[kind].probe());
  const program = { bun: options.bun, folder: options.dist, entry: 'runner.js' };
  const { clock, log } = options;
  const reader = startReader({
    home,
    program,
    clock,
    log: log.scope('reader'),
    walled: (await probe('bubblewrap')).ok,
  });
  const trash = new Trash(home.trash);
  const parts = wire(options, ground, {
    sandboxes,
    program,
    reader,
    around: () => lookAround(placesOf(options, ground), options.env),
    openBell: listenBell,
    openNet: (path, agent) => openNet({ keys, redactor, log: log.scope('net') }, path, agent),
    channels: {},
    disk: realDisk(),
    trash,
  });
  const { sessions } = parts;
  await recover(parts, ground);
  void trash.empty().catch((error: unknown) => log.warn('trash not emptied', { error: errorText(error) }));
  const started = { home: home.root, pid: options.pid, startedAt: ground.now() };
  const apiSocket = join(runDir, 'api.sock');
  const api = await serveApi(
    {
      ...ground,
      ...parts,
      clock,
      log: log.scope('api'),
      durable: options.durable,
      uid: options.uid,
      reader,
      probe,
      status: () => statusView({ central, sessions, reader, probes: probe }, started),
      renew: (agentId) => sessions.renew(agentId),
      shutDown: options.shutDown,
    },
    apiSocket,
  );
  const retention = new Retention({ central, clock, log: log.scope('retention'), sweep: parts.sweep });
  retention.start();
  const close = async (): Promise<void> => {
    await retention.close();
    await api.close();
    await drain(parts);
    await reader.close();
    await central.close();
    lock.release();
  };
  return { home, apiSocket, close };
}

type Parts = Pick<ReturnType<typeof wire>, 'deliverer' | 'sessions' | 'terminal' | 'sweepHalfMade'>;

/** What a host before left open goes on; nothing may be accepted until this has resolved. */
export async function recover(
  { deliverer, sessions, sweepHalfMade }: Parts,
  { central, home }: Pick<Ground, 'central' | 'home'>,
): Promise<void> {
  await deliverer.recover();
  // Before anything can be accepted: a folder whose row is about to be committed must not pass for a stray.
  await sessions.sweepFolders();
  await sweepAgentFolders(central, home);
  await sweepHalfMade();
  await sessions.recover();
}

/** Runs end and are collected, at most `END_MS`; what they said is delivered, at most `DRAIN_MS`. Nothing may be accepted any more. */
export async function drain({ deliverer, sessions, terminal }: Omit<Parts, 'sweepHalfMade'>): Promise<void> {
  await sessions.close(END_MS);
  terminal.close();
  await deliverer.close(DRAIN_MS);
}

type Ground = Awaited<ReturnType<typeof openGround>>;

/** What everything else stands on: the lock first, then no stray of a host before, then the database and the templates. */
async function openGround(options: HostOptions) {
  const home = homeAt(options.root);
  makeFolders(home);
  const lock = lockHome(home.root, home.lock, home.pidFile, options.pid);
  try {
    return { lock, ...(await openHeld(options, home)) };
  } catch (error) {
    lock.release(); // or its pid file would tell of a host that died
    throw error;
  }
}

async function openHeld(options: HostOptions, home: Home) {
  const { clock, log, durable, uid } = options;
  const runDir = runDirFor(home, options.env, tmpdir(), uid);
  ensureRunDir(home, runDir, uid);
  const reaped = await reapStrays(home.label);
  if (reaped > 0) log.warn('ended what a host before left running', { processes: reaped });
  clearSockets(runDir);
  const central = await Central.open(home.central, durable, clock);
  const templates = ensureTemplates(home, durable);
  const ids = makeIds(() => clock.now().getTime());
  const now = (): string => isoNow(clock);
  const { redactor, environment } = options;
  const secrets = await Secrets.open({
    central,
    keyFile: home.secretsKey,
    uid,
    ids,
    now,
    random: randomBytes,
    durable,
    log: log.scope('secrets'),
    redactor,
    environment,
  });
  const redact = (text: string): string => redactor.text(text);
  const keys = (name: string): Found => secrets.lookUp(name);
  return { home, runDir, central, templates, ids, now, secrets, keys, redactor, redact };
}

/** What is not of this process, and what a simulation of the whole gives instead; `channels` beside the terminal. */
export type Machines = Pick<SessionsDeps, 'sandboxes' | 'program' | 'reader' | 'openBell' | 'openNet' | 'trash'> & {
  /** What a folder of a person's must not lie in or hold. */
  around(): Surroundings;
  channels: Readonly<Record<string, Channel>>;
  disk: Disk;
};

/** Delivery, sessions and accept know of each other only what is handed over here. */
export function wire(
  options: Pick<HostOptions, 'clock' | 'log' | 'durable'>,
  ground: Pick<Ground, 'home' | 'runDir' | 'central' | 'templates' | 'ids' | 'now' | 'redact'>,
  { channels, around, ...machines }: Machines,
) {
  const { clock, log, durable } = options;
  const { home, central, templates, redact } = ground;
  const signals = new Signals();
  const terminal = new TerminalChannel((address) => void deliverer.kick(address));
  const deliverer: Deliverer = new Deliverer({
    central,
    channels: { ...channels, terminal },
    clock,
    ids: ground.ids,
    log: log.scope('deliver'),
    redact,
    onReceipt: (sessionId, receipt) => {
      outbox.arrived(sessionId, receipt.seq);
      sessions.receipt(sessionId, receipt);
    },
  });
  const renewSession = (sessionId: string): void => sessions.renewSession(sessionId, 'renewed');
  const folders = new RunFolders({ central, around, renewSession });
  const isOpenedInPlace = (channel: string): boolean => channel === terminal.name;
  const outbox = new Outbox({
    ...{ folder: home.outbox, central, durable, ids: ground.ids, isOpenedInPlace },
    ...{ reader: machines.reader, disk: machines.disk, log: log.scope('files') },
  });
  const sweeping = { home, central, disk: machines.disk, outbox, isOpenedInPlace };
  const base = {
    ...ground,
    durable,
    clock,
    folders,
    outbox,
    disk: machines.disk,
    mayTake: deliverer.mayTake.bind(deliverer),
  };
  const sessions: Sessions = new Sessions({
    ...base,
    ...machines,
    log: log.scope('session'),
    signals,
    agentDir: (agentId) => agentDir(home, agentId),
    startDelivery: (head) => deliverer.start(head),
    tellAgent: async (sessionId, agentId, refused) => {
      const messages = await tellAgent(base, sessionId, agentId, refused);
      sessions.enqueue(messages.map((message) => ({ sessionId, agentId, message })));
    },
  });
  const acceptDeps: AcceptDeps = {
    ...base,
    makeFolder: (id) => void makeSessionFolder(home, templates, id, durable),
    describe: (agentId) => describeAgent(central.read, sessions, agentId),
    after: (it) => {
      sessions.enqueue(it.enqueue);
      for (const head of it.heads) deliverer.start(head);
      void sessions.end(it.ended);
      if (it.settledEvents.length > 0) signals.emit('settled', { eventIds: it.settledEvents });
    },
  };
  const letters: ReplayDeps = {
    ...acceptDeps,
    kick: (address) => deliverer.kick(address),
    isIdempotent: (channel) => deliverer.isIdempotent(channel),
  };
  return {
    ...{ signals, terminal, deliverer, sessions, folders, around, renewSession, letters },
    sandboxes: machines.sandboxes,
    revokeSession: (sessionId: string) => sessions.renewSession(sessionId, 'revoked'),
    makeFolder: acceptDeps.makeFolder,
    sweepHalfMade: () => sweepHalfMade(sweeping),
    sweep: (before: string) => sweepOver(sweeping, before),
    accept: (it: Incoming) => accept(acceptDeps, it),
  };
}

/** What no agent may be given: whoever can write there has left the sandbox. */
const placesOf = ({ dist, bun }: HostOptions, { home, runDir }: Ground): Places => [
  { what: 'the home of Halfdoor', path: home.root },
  { what: 'the run dir of Halfdoor', path: runDir },
  { what: 'the checkout that Halfdoor runs from', path: join(import.meta.dirname, '..') },
  { what: 'the runner of Halfdoor', path: dist },
  { what: 'the Bun that Halfdoor runs on', path: bun },
  { what: 'the Node that Halfdoor runs on', path: process.execPath },
];

function makeFolders(home: Home): void {
  for (const dir of [home.root, home.agents, home.sessions, home.out, home.inbox, home.outbox])
    mkdirSync(dir, { recursive: true, mode: 0o700 });
}

/** Sockets of runs that are gone; the API's own is replaced when it listens. */
function clearSockets(runDir: string): void {
  for (const name of readdirSync(runDir)) rmSync(join(runDir, name), { recursive: true, force: true });
}

/** Asks once per key; what came out stands until the host ends. */
function remember<K, V>(ask: (key: K) => Promise<V>): (key: K) => Promise<V> {
  const known = new Map<K, Promise<V>>();
  return (key) => {
    const before = known.get(key) ?? ask(key);
    known.set(key, before);
    return before;
  };
}
