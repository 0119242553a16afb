/** What every part of a host stands on: its home, held by one host at a time, and what lies in it. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Durable } from '@halfdoor/protocol/durable';
import type { Places } from './agents/folder-look.ts';
import { isoNow, type Clock } from './clock.ts';
import { Central } from './db/central.ts';
import { lockHome } from './db/lock.ts';
import { homeAt, runDirFor, type Home } from './home.ts';
import { makeIds } from './ids.ts';
import type { Outside } from './egress/outside.ts';
import type { Log } from './log.ts';
import { ensureRunDir } from './run-dir.ts';
import type { DockerEnv } from './sandboxes/docker/cli.ts';
import { reapStrays } from './sandboxes/strays.ts';
import { ensureTemplates } from './sessions/folder.ts';
import type { Redactor } from './secrets/redact.ts';
import { Secrets, type Found } from './secrets/secrets.ts';

export type HostOptions = {
  root: string;
  /** The pinned Bun, and the folder with runner.js and reader.js. */
  bun: string;
  dist: string;
  /** Secrets of the host's own environment, by name; kept in memory only. */
  environment: Readonly<Record<string, string>>;
  /** What the log goes through: it learns every secret that this host gets to know. */
  redactor: Redactor;
  env: DockerEnv;
  uid: number;
  pid: number;
  clock: Clock;
  /** Where agents that may reach a host find it. */
  outside: Outside;
  log: Log;
  durable: Durable;
  /** Called when somebody asks the host to end. */
  shutDown(): void;
};

export type Ground = Awaited<ReturnType<typeof openGround>>;

/** What everything else stands on: the lock first, then no stray of a host before, then the database and the templates. */
export async function openGround(options: HostOptions) {
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
  clearFolder(runDir); // sockets of runs that are gone; the API's own is replaced when it listens
  clearFolder(home.spool);
  const central = await Central.open(home.central, durable, clock);
  const templates = ensureTemplates(home, durable);
  const ids = makeIds(() => clock.now().getTime(), undefined, await lastId(central));
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

/** The greatest there is of what is made last of each thing that is accepted. */
async function lastId({ read }: Central): Promise<string | null> {
  const { id } = await read
    .selectFrom('dispatches')
    .select((eb) => eb.fn.max('id').as('id'))
    .executeTakeFirstOrThrow();
  return id;
}

/** What no agent may be given: whoever can write there has left the sandbox. */
export const placesOf = ({ dist, bun }: HostOptions, { home, runDir }: Ground): Places => [
  { what: 'the home of Halfdoor', path: home.root },
  { what: 'the run dir of Halfdoor', path: runDir },
  { what: 'the checkout that Halfdoor runs from', path: join(import.meta.dirname, '..') },
  { what: 'the runner of Halfdoor', path: dist },
  { what: 'the Bun that Halfdoor runs on', path: bun },
  { what: 'the Node that Halfdoor runs on', path: process.execPath },
];

function makeFolders(home: Home): void {
  for (const dir of [home.root, home.agents, home.sessions, home.out, home.spool, home.inbox, home.outbox]) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  }
}

function clearFolder(folder: string): void {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true });
}
