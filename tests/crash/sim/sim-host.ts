/** The host in process: everything of host/ that a message passes, wired by its own wiring, on the scheduler's time. */
import { mkdirSync, rmSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { Durable, DurableStep } from '@halfdoor/protocol/durable';
import { Fault } from '@halfdoor/protocol/fault';
import type { BellHost } from '@halfdoor/protocol/bell';
import type { Surroundings } from '../../../host/agents/mountable.ts';
import type { Channel } from '../../../host/channels/channel.ts';
import type { Clock } from '../../../host/clock.ts';
import { Central, connectFile } from '../../../host/db/central.ts';
import type { Home } from '../../../host/home.ts';
import { drain, recover, wire } from '../../../host/host.ts';
import type { Ids } from '../../../host/ids.ts';
import type { Log } from '../../../host/log.ts';
import type { OutboundReader } from '../../../host/outbound/reader.ts';
import type { Sandbox } from '../../../host/sandboxes/sandbox.ts';
import { ensureTemplates } from '../../../host/sessions/folder.ts';
import { simDisk, simTrash } from './disk.ts';
import type { Life } from './life.ts';
import type { Scheduler } from './scheduler.ts';

export type HostDeps = {
  life: Life;
  home: Home;
  runDir: string;
  scheduler: Scheduler;
  durable: Durable;
  ids: Ids;
  sandbox: Sandbox;
  reader: OutboundReader;
  channels: Readonly<Record<string, Channel>>;
  openBell(path: string, onRing: () => void): Promise<BellHost>;
  /** Whether a write to inbound.db meets a lock now. */
  isBusy(): boolean;
  /** Something that must not happen while the host lives. */
  onError(what: string): void;
};

export type Parts = ReturnType<typeof wire> & { central: Central; ids: Ids; durable: Durable; now(): string };

/** Nobody has given an agent a folder. */
const nothingAround = (): Surroundings => ({ user: '', ownHome: '', homes: [], guarded: [], mounts: [] });

/** What a host says that is about the outside, not about itself. */
const EXPECTED = ['run did not start', 'recovery did not start'];

/** Starts a host; resolves when it would listen. Whatever of it was killed on the way never resolves. */
export async function openSimHost(deps: HostDeps): Promise<Parts> {
  const { life, home, runDir, scheduler, ids } = deps;
  const durable = withLocks(deps);
  const clock = clockOf(life, scheduler);
  for (const dir of [home.root, home.agents, home.sessions, home.out, home.inbox, home.outbox])
    mkdirSync(dir, { recursive: true });
  rmSync(runDir, { recursive: true, force: true });
  mkdirSync(runDir, { recursive: true });
  const connections: DatabaseSync[] = [];
  const connect = (path: string, readOnly: boolean): DatabaseSync => {
    const connection = connectFile(path, readOnly);
    connections.push(connection);
    return connection;
  };
  // What a kill leaves of a transaction that was under way is nothing.
  life.onEnd(() => connections.forEach((it) => it.isOpen && it.close()));
  const central = await Central.open(home.central, durable, clock, connect);
  const templates = ensureTemplates(home, durable);
  const now = (): string => new Date(scheduler.wall).toISOString();
  const redact = (text: string): string => text;
  const ground = { home, runDir, central, templates, ids, now, redact };
  const { sandbox, reader, channels, openBell } = deps;
  const parts = wire({ clock, log: logOf(deps), durable }, ground, {
    sandboxes: { bubblewrap: sandbox, docker: sandbox, process: sandbox },
    program: { bun: '', folder: '', entry: '' },
    reader,
    around: nothingAround,
    channel: (name) => channels[name],
    disk: simDisk(),
    trash: simTrash(home.trash),
    openBell,
    openNet: (path) => openBell(path, () => {}),
  });
  await recover(parts, ground);
  return { ...parts, central, ids, durable, now };
}

/** Ends it as a host that is told to end does; everything is closed when this resolves. */
export async function closeSimHost(parts: Parts, reader: OutboundReader): Promise<void> {
  await drain(parts);
  await reader.close();
  await parts.central.close();
}

function clockOf(life: Life, scheduler: Scheduler): Clock {
  return {
    now: () => new Date(scheduler.wall),
    after: (ms, fn) => ({ cancel: scheduler.after(life, ms, 'timer', fn) }),
    soon: (fn) => void scheduler.add(life, 'soon', 0, 'goes on', fn),
  };
}

/** A projection may meet the lock of a run that reads: nothing of it is in the file then. Before a wake there is no run. */
function withLocks({ life, durable, isBusy }: HostDeps): Durable {
  let before: DurableStep | null = null;
  return <T>(step: DurableStep, effect: () => T): T => {
    const ofWake = before === 'prune-inbound';
    before = step;
    if (step === 'enqueue' && !ofWake && !life.ended && isBusy()) {
      throw new Fault('busy', 'the file is locked', 'Try again.');
    }
    return durable(step, effect);
  };
}

function logOf(deps: HostDeps): Log {
  const { life, scheduler, onError } = deps;
  const say = (level: string) => (message: string, fields?: Record<string, unknown>) => {
    if (life.ended) return;
    scheduler.note(`${life.name} logs ${level}: ${message}`);
    if (level === 'error' && !EXPECTED.includes(message)) onError(`${message}: ${String(fields?.error)}`);
  };
  return { info: say('info'), warn: say('warn'), error: say('error'), scope: () => logOf(deps) };
}
