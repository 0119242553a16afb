/** The wiring diagram: every part of the host, made once, each given what it needs. */
import { join } from 'node:path';
import { listenBell } from '@halfdoor/protocol/host';
import { LIMITS } from '@halfdoor/protocol/limits';
import { agentDir, sweepAgentFolders } from './agents/folder.ts';
import { lookAround } from './agents/folder-look.ts';
import type { Surroundings } from './agents/mountable.ts';
import { serveApi } from './api/server.ts';
import type { Channel } from './channels/channel.ts';
import type { Incoming } from './channels/channel-host.ts';
import { channelHosts } from './channels/host-side.ts';
import { channelKinds } from './channels/index.ts';
import { Roster } from './channels/roster.ts';
import { telegramSide } from './channels/telegram-side.ts';
import { TerminalChannel } from './channels/terminal.ts';
import type { ReplayDeps } from './dead/replay.ts';
import { openNet } from './egress/net.ts';
import { realDisk, type Disk } from './files/disk.ts';
import { makeFiles } from './files/files.ts';
import { Trash } from './files/remove.ts';
import { openWayOut } from './egress/open.ts';
import { HTTP, HttpChats } from './http-chats/chats.ts';
import { openGround, placesOf, type Ground, type HostOptions } from './ground.ts';
import type { Home } from './home.ts';
import { accept, type AcceptDeps } from './inbound/accept.ts';
import { errorText } from './log.ts';
import { Deliverer } from './outbound/deliver.ts';
import { ProgressTeller } from './progress/progress.ts';
import { startReader } from './outbound/readers.ts';
import { Retention } from './retention/retention.ts';
import { makeSandboxes } from './sandboxes/index.ts';
import type { SandboxKind } from './sandboxes/sandbox.ts';
import { makeSessionFolder } from './sessions/folder.ts';
import { RunFolders } from './sessions/run-folders.ts';
import { Sessions, type SessionsDeps } from './sessions/sessions.ts';
import { tellAgent } from './sessions/tell-agent.ts';
import { watchLimits } from './sessions/watch-limits.ts';
import { Signals } from './signals.ts';
import { describeAgent, statusView } from './status.ts';
import { WebListener } from './web.ts';

export type Host = { home: Home; apiSocket: string; close(): Promise<void> };

const DRAIN_MS = 10_000;
/** A run is given time to stop, its file to be taken back: what takes longer goes on at the next start. */
const END_MS = LIMITS.stopGraceMs + LIMITS.recoverMs;

/** Opens a home and serves it. Throws `HomeLocked` when another host does. */
export async function openHost(options: HostOptions): Promise<Host> {
  const ground = await openGround(options);
  const { home, runDir, central } = ground;
  const sandboxes = makeSandboxes({ home, uid: options.uid, env: options.env });
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
  const egress = openWayOut({ ...ground, clock, log: log.scope('net'), outside: options.outside });
  const { roster, ...http } = await openRoster(options, ground, () => parts);
  const parts = wire(options, ground, {
    sandboxes,
    program,
    reader,
    around: () => lookAround(placesOf(options, ground), options.env),
    openBell: listenBell,
    openNet: (path, agent, onSilent) => openNet(egress.net, path, agent, onSilent),
    channel: (name) => roster.get(name),
    disk: realDisk(),
    trash,
  });
  const { sessions } = parts;
  const progress = tellProgress(options, ground, parts, roster);
  await recover(parts, ground);
  void trash.empty().catch((error: unknown) => log.warn('trash not emptied', { error: errorText(error) }));
  const started = { home: home.root, pid: options.pid, startedAt: ground.now() };
  const apiSocket = join(runDir, 'api.sock');
  const api = await serveApi(
    {
      ...ground,
      ...parts,
      ...egress,
      clock,
      log: log.scope('api'),
      durable: options.durable,
      uid: options.uid,
      reader,
      probe,
      roster,
      ...http,
      status: () => statusView({ central, sessions, reader, roster, probes: probe }, started),
      renew: (agentId) => sessions.renew(agentId),
      shutDown: options.shutDown,
    },
    apiSocket,
  );
  const retention = new Retention({ central, clock, log: log.scope('retention'), sweep: parts.files.sweep });
  retention.start();
  roster.start();
  await http.web.tried();
  void progress.start();
  const watchdog = watchLimits({ ...ground, ...parts, clock, log: log.scope('limits') });
  const close = closing({ ...ground, ...http, retention, watchdog, api, roster, parts, progress, reader, egress });
  return { home, apiSocket, close };
}

type Closes = { close(): Promise<void> };
type Closing = Record<'retention' | 'api' | 'progress' | 'web' | 'reader' | 'central', Closes> & {
  roster: Closes & { stop(): Promise<void> };
  parts: Parts;
  egress: { recorded(): Promise<void> };
  lock: { release(): void };
  watchdog: { close(): void };
};

/** Nothing is taken in any more, then what is under way ends, then what it stands on; the lock last. */
const closing =
  ({ retention, watchdog, api, roster, parts, progress, web, reader, egress, central, lock }: Closing) =>
  async (): Promise<void> => {
    await retention.close();
    watchdog.close();
    await Promise.all([api.close(), roster.stop()]);
    await drain(parts);
    for (const it of [progress, roster, web, reader]) await it.close();
    await egress.recorded();
    await central.close();
    lock.release();
  };

/** Made before what they hand in to, so that what waits can be sent as soon as it is looked at. */
async function openRoster({ clock, log }: HostOptions, ground: Ground, parts: () => ReturnType<typeof wire>) {
  const scoped = log.scope('channel');
  const host = channelHosts({ ...ground, clock, log: scoped }, parts);
  const web = new WebListener({ clock, log: log.scope('web'), random: Math.random });
  const httpChats = await HttpChats.open({ ...ground, clock, signals: () => parts().signals });
  const roster = new Roster({
    ...ground,
    kinds: channelKinds({ web, http: httpChats, telegram: telegramSide(ground, web) }),
    host,
    log: scoped,
    opened: (name) => parts().deliverer.kickChannel(name),
  });
  await roster.open();
  return { roster, web, httpChats };
}

function tellProgress({ clock, log }: HostOptions, ground: Ground, { signals }: Signalling, roster: Roster) {
  return new ProgressTeller({
    ...ground,
    ...{ signals, clock, log: log.scope('progress'), newId: ground.ids },
    channel: (name) => roster.get(name),
    hasChannels: () => roster.size > 0,
  });
}

type Signalling = Pick<ReturnType<typeof wire>, 'signals'>;
type Parts = Pick<ReturnType<typeof wire>, 'deliverer' | 'sessions' | 'terminal' | 'files'>;

/** What a host before left open goes on; nothing may be accepted until this has resolved. */
export async function recover(
  { deliverer, sessions, files }: Parts,
  { central, home }: Pick<Ground, 'central' | 'home'>,
): Promise<void> {
  await deliverer.recover();
  // Before anything can be accepted: a folder whose row is about to be committed must not pass for a stray.
  await sessions.sweepFolders();
  await sweepAgentFolders(central, home);
  await files.sweepHalfMade();
  await sessions.recover();
}

/** Runs end and are collected, at most `END_MS`; what they said is delivered, at most `DRAIN_MS`. Nothing may be accepted any more. */
export async function drain({ deliverer, sessions, terminal }: Omit<Parts, 'files'>): Promise<void> {
  await sessions.close(END_MS);
  await terminal.close();
  await deliverer.close(DRAIN_MS);
}

/** What is not of this process, and what a simulation of the whole gives instead. */
export type Machines = Pick<SessionsDeps, 'sandboxes' | 'program' | 'reader' | 'openBell' | 'openNet' | 'trash'> & {
  /** What a folder of a person's must not lie in or hold. */
  around(): Surroundings;
  /** Those beside the terminal. */
  channel(name: string): Channel | undefined;
  disk: Disk;
};

/** Delivery, sessions and accept know of each other only what is handed over here. */
export function wire(
  options: Pick<HostOptions, 'clock' | 'log' | 'durable'>,
  ground: Pick<Ground, 'home' | 'runDir' | 'central' | 'templates' | 'ids' | 'now' | 'redact'>,
  { channel, around, ...machines }: Machines,
) {
  const { clock, log, durable } = options;
  const { home, central, templates, redact } = ground;
  const signals = new Signals();
  const terminal = new TerminalChannel((address) => void deliverer.kick(address), ground.now());
  const deliverer: Deliverer = new Deliverer({
    central,
    channel: (name) => (name === terminal.name ? terminal : channel(name)),
    clock,
    ids: ground.ids,
    log: log.scope('deliver'),
    redact,
    onReceipt: (id, receipt) => (outbox.arrived(id, receipt.seq), sessions.receipt(id, receipt)),
    enqueue: (it) => sessions.enqueue(it),
  });
  const renewSession = (sessionId: string): void => sessions.renewSession(sessionId, 'renewed');
  const folders = new RunFolders({ central, around, renewSession });
  const { outbox, ...files } = makeFiles({
    ...{ home, central, durable, ids: ground.ids, log: log.scope('files') },
    ...{ reader: machines.reader, disk: machines.disk },
    isOpenedInPlace: (channel) => channel === terminal.name || channel === HTTP,
  });
  const { disk } = machines;
  const base = {
    ...{ ...ground, durable, clock, folders, outbox, disk },
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
    describe: (agentId) => describeAgent(central.read, sessions, agentId, ground.now()),
    renew: (agentId) => sessions.renew(agentId),
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
    ...{ signals, terminal, deliverer, sessions, folders, around, renewSession, letters, files },
    sandboxes: machines.sandboxes,
    revokeSession: (sessionId: string) => sessions.renewSession(sessionId, 'revoked'),
    makeFolder: acceptDeps.makeFolder,
    accept: (it: Incoming) => accept(acceptDeps, it),
  };
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
