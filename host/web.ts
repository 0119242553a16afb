/**
 * The HTTP listener that channels share: who may connect, how slowly, and by which name. What is asked is theirs. Beyond
 * loopback it is opened only by an owner's word, and TLS is a reverse proxy's.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { reconnectMs, type Handle, type Web } from './channels/channel-host.ts';
import type { ChannelStatus } from './channels/channel.ts';
import { isoNow, type Clock, type Timer } from './clock.ts';
import { errorText, type Log } from './log.ts';

/** Where it listens, and names of this machine by which it is asked. */
export type Place = { bind: string; port: number; hostNames: readonly string[] };
export const DEFAULT_PLACE: Place = { bind: '127.0.0.1', port: 8788, hostNames: [] };

type WebDeps = { clock: Clock; log: Log; random(): number };
type Mount = { prefix: string; handle: Handle; hostNames: readonly string[] };

/** A client that takes longer than this for its headers, or for the whole of its request, is cut off. */
const HEADERS_MS = 10_000;
const REQUEST_MS = 120_000;
const LOOK_MS = 2_000;
const KEEP_ALIVE_MS = 10_000;
const CONNECTIONS = 512;

export class WebListener implements Web {
  readonly #deps: WebDeps;
  #mounts: Mount[] = [];
  #place: Place = DEFAULT_PLACE;
  #server: Server | null = null;
  #retry: Timer | null = null;
  #failures = 0;
  #status: ChannelStatus;
  #tried: Promise<void> = Promise.resolve();
  /** The port is free again after this. */
  #closed: Promise<void> = Promise.resolve();

  constructor(deps: WebDeps) {
    this.#deps = deps;
    this.#status = { state: 'connecting', since: isoNow(deps.clock), lastError: null };
  }

  /** It goes on there, now or when something is mounted. */
  listenAt(place: Place): void {
    const moves = place.bind !== this.#place.bind || place.port !== this.#place.port;
    this.#place = place;
    if (moves && this.#mounts.length > 0) this.#tried = this.#close().then(() => this.#open());
  }

  mount(prefix: string, handle: Handle, hostNames: readonly string[] = []): () => void {
    const mount = { prefix, handle, hostNames };
    this.#mounts.push(mount);
    if (this.#mounts.length === 1) this.#tried = this.#open();
    return () => {
      this.#mounts = this.#mounts.filter((it) => it !== mount);
      if (this.#mounts.length === 0) void this.#close();
    };
  }

  status(): ChannelStatus {
    return this.#status;
  }

  /** Resolves when it listens or cannot, if it is about to. */
  tried(): Promise<void> {
    return this.#tried;
  }

  close(): Promise<void> {
    this.#mounts = [];
    return this.#close();
  }

  async #open(): Promise<void> {
    await this.#closed;
    if (this.#server !== null || this.#mounts.length === 0) return;
    const server = createAdaptorServer({
      fetch: (request, wire) => this.#answer(request, wire as { incoming: IncomingMessage; outgoing: ServerResponse }),
      serverOptions: {
        headersTimeout: HEADERS_MS,
        requestTimeout: REQUEST_MS,
        connectionsCheckingInterval: LOOK_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
      },
    }) as Server;
    server.maxConnections = CONNECTIONS;
    this.#server = server;
    const failed = new Promise<void>((resolve) => {
      server.on('error', (error) => resolve(this.#failed(server, error)));
      server.on('close', resolve);
    });
    const listens = new Promise<void>((resolve) => {
      server.listen(this.#place.port, this.#place.bind, () => resolve(this.#listens(server)));
    });
    await Promise.race([listens, failed]);
  }

  #listens(server: Server): void {
    if (this.#server !== server) return;
    this.#failures = 0;
    this.#become('connected', null);
    this.#deps.log.info('listening', { url: urlOf(this.#place) });
  }

  /** Whoever holds the port may go: it is tried again, and people are told what to do meanwhile. */
  #failed(server: Server, error: Error): void {
    if (this.#server !== server) return;
    this.#server = null;
    const { text, next } = whyNot(error, this.#place);
    this.#deps.log.error('cannot listen', { error: text, next });
    this.#become('broken', { at: isoNow(this.#deps.clock), text, next });
    const waitMs = reconnectMs(this.#failures++, this.#deps.random());
    this.#retry = this.#deps.clock.after(waitMs, () => void this.#open());
  }

  #become(state: ChannelStatus['state'], lastError: ChannelStatus['lastError']): void {
    const since = state === this.#status.state ? this.#status.since : isoNow(this.#deps.clock);
    this.#status = { state, since, lastError };
  }

  #close(): Promise<void> {
    this.#retry?.cancel();
    this.#retry = null;
    const server = this.#server;
    this.#server = null;
    this.#become('connecting', null);
    if (server === null) return this.#closed;
    this.#closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
    return this.#closed;
  }

  async #answer(request: Request, wire: { incoming: IncomingMessage; outgoing: ServerResponse }): Promise<Response> {
    const { pathname, hostname } = new URL(request.url);
    const mount = this.#mounts.find((it) => pathname === it.prefix || pathname.startsWith(`${it.prefix}/`));
    if (!isOurs(hostname, this.#place, mount?.hostNames ?? [])) {
      return refuse(
        421,
        'this host is not asked by that name',
        'An owner allows it: channels add http --host-name NAME.',
      );
    }
    if (!mount) return refuse(404, 'there is nothing here', 'See /openapi.json.');
    try {
      return await mount.handle(request, wire);
    } catch (error) {
      this.#deps.log.error('a request failed', { prefix: mount.prefix, error: errorText(error) });
      return refuse(500, 'the host failed', 'Try again.');
    }
  }
}

const refuse = (status: number, error: string, next: string): Response => Response.json({ error, next }, { status });

const bare = (host: string): string => host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || /^127\.[\d.]+$/.test(host);
const isAnywhere = (bind: string): boolean => bind === '0.0.0.0' || bind === '::';

/**
 * Whether a request names this host as it may be named. A page that rebinds its own name to this address names itself;
 * an address is nobody's to rebind.
 */
export function isOurs(hostname: string, { bind, hostNames }: Place, more: readonly string[] = []): boolean {
  const host = bare(hostname);
  if (isLoopback(host) || host === bare(bind)) return true;
  if (isAnywhere(bind) && isIP(host) !== 0) return true;
  return [...hostNames, ...more].some((name) => bare(name) === host);
}

export const urlOf = ({ bind, port }: Place): string => {
  const host = isAnywhere(bind) ? '127.0.0.1' : bind;
  return `http://${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
};

function whyNot(error: Error, { bind, port }: Place): { text: string; next: string } {
  const at = `${bind}:${port}`;
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return {
        text: `${at} is taken by another program`,
        next: `End it, or listen elsewhere: ./halfdoor channels add http --port ${port + 1}`,
      };
    case 'EACCES':
      return {
        text: `the host may not listen at ${at}`,
        next: 'Take a port from 1024 on: ./halfdoor channels add http --port 8788',
      };
    default:
      return {
        text: `the host cannot listen at ${at}: ${error.message}`,
        next: 'Take an address of this machine: ./halfdoor channels add http --bind 127.0.0.1',
      };
  }
}
