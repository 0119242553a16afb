/**
 * Where everything of one install lies. HALFDOOR_HOME is the home; the run dir holds sockets, whose paths must stay
 * short. The host chooses the run dir and writes it to <home>/run; the CLI reads it there.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { LIMITS } from '@halfdoor/protocol/limits';

export type Home = {
  root: string;
  /** Eight characters that name this install: in run dirs, process labels, container labels. */
  label: string;
  central: string;
  lock: string;
  pidFile: string;
  runFile: string;
  secretsKey: string;
  log: string;
  templates: string;
  agents: string;
  /** Files that came in through a channel and were not accepted yet; emptied when the host starts. */
  spool: string;
  sessions: string;
  /** What came with messages, by event: made by the host, read by it and through in/files/ by agents. */
  inbox: string;
  /** Copies of what agents send, by delivery. */
  outbox: string;
  /** Unpacked images, `current` the one that bubblewrap takes programs from; written by `halfdoor image unpack` alone. */
  image: string;
  /** What is being removed. */
  trash: string;
  /** out/ folders of all sessions, so that the reader process can be given these and nothing else. */
  out: string;
};

/** How Node is started for a host: a small young generation, since what a message leaves behind is small (8 MB less). */
export const HOST_NODE_FLAGS: readonly string[] = ['--max-semi-space-size=4'];

/** What a host exits with when another one holds its home. */
export const HOME_TAKEN_EXIT = 4;

export function homeAt(root: string): Home {
  return {
    root,
    label: createHash('sha256').update(root).digest('hex').slice(0, 8),
    central: join(root, 'central.db'),
    lock: join(root, 'lock.db'),
    pidFile: join(root, 'host.pid'),
    runFile: join(root, 'run'),
    secretsKey: join(root, 'secrets.key'),
    log: join(root, 'host.log'),
    templates: join(root, 'templates'),
    agents: join(root, 'agents'),
    spool: join(root, 'spool'),
    sessions: join(root, 'sessions'),
    inbox: join(root, 'inbox'),
    outbox: join(root, 'outbox'),
    image: join(root, 'image'),
    trash: join(root, 'trash'),
    out: join(root, 'out'),
  };
}

/** The files of one session. `out` is reachable as <folder>/out too, through a link that only the host can change. */
export type SessionPaths = {
  folder: string;
  inbound: string;
  out: string;
  outbound: string;
  work: string;
};

export function sessionPaths(home: Home, id: string): SessionPaths {
  const folder = join(home.sessions, id);
  const out = join(home.out, id);
  return {
    folder,
    inbound: join(folder, 'in', 'inbound.db'),
    out,
    outbound: join(out, 'outbound.db'),
    work: join(folder, 'work'),
  };
}

/** The read-write files inside out/, made before the first start; everything else there is read-only inside. */
export const OUT_FILES = ['outbound.db', 'outbound.db-journal', 'heartbeat', 'progress'] as const;

/** Of a socket below the run dir: its session's folder and its name. */
const LONGEST_SOCKET_BYTES = '/123456789012/bell.sock'.length;

/** $XDG_RUNTIME_DIR/halfdoor-<label>, else, or where a socket in it would have too long a path, halfdoor-<uid>-<label> in the temp folder. */
export function runDirFor(
  home: Home,
  env: { XDG_RUNTIME_DIR?: string | undefined },
  temp: string,
  uid: number,
): string {
  const own = env.XDG_RUNTIME_DIR ? join(env.XDG_RUNTIME_DIR, `halfdoor-${home.label}`) : null;
  if (own !== null && Buffer.byteLength(own) + LONGEST_SOCKET_BYTES <= LIMITS.socketPathBytes) return own;
  return join(temp, `halfdoor-${uid}-${home.label}`);
}

/** The folder of one session's sockets: 12 characters of its id's end (the random part of a UUIDv7). */
export const socketFolder = (runDir: string, sessionId: string): string =>
  join(runDir, sessionId.replaceAll('-', '').slice(-12));
