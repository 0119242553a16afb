/** The session's guarded way out: a Unix socket in its own folder. The socket is the identity; there is no other way. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ModelApi } from '@halfdoor/protocol/message';
import type { Timer } from '../clock.ts';
import { endpointOf, modelUrl, type ModelEndpoint } from './endpoint.ts';
import { serveModel, type ModelDeps } from './model.ts';
import { normalHost } from './target.ts';
import { SEARCH_PATH, serveSearch, type SearchDeps } from '../search/serve.ts';
import type { Caller } from './tunnel.ts';
import type { WayOut } from './way-out.ts';
import { refusal } from './words.ts';

export type NetAgent = {
  sessionId: string;
  id: string;
  name: string;
  api: ModelApi | null;
  baseUrl: string | null;
  key: string | null;
};
export type NetDeps = Omit<ModelDeps, 'onSilent'> & {
  wayOut: WayOut;
  searchEndpoint: SearchDeps['searchEndpoint'];
};

const MAX_HEADER_BYTES = 16 * 1024;

/** Listens at `path` for one session. `onSilent`: a model that was asked says nothing. `close` ends what is under way. */
export async function openNet(
  deps: NetDeps,
  path: string,
  agent: NetAgent,
  onSilent: () => void,
): Promise<{ close(): Promise<void> }> {
  const { wayOut } = deps;
  const endpoint = agent.api === null ? null : endpointOf(agent.api, agent.baseUrl, agent.key);
  const caller = { sessionId: agent.sessionId, agentId: agent.id, agent: agent.name };
  const tunnels = wayOut.enter(caller);
  const asked = new WeakSet<Socket>();
  const ours = { ...deps, onSilent };
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (incoming, outgoing) => {
    asked.add(incoming.socket);
    if (isForOthers(incoming)) {
      return tunnels.inTurn(incoming.socket, () => refusePlain(wayOut, caller, incoming, outgoing));
    }
    if (incoming.method === 'POST' && incoming.url === SEARCH_PATH) {
      return tunnels.inTurn(incoming.socket, () => void noteSearch(deps, caller, incoming, outgoing));
    }
    if (endpoint !== null) noteModel(wayOut, caller, endpoint, incoming, outgoing);
    serveModel(ours, endpoint, incoming, outgoing);
  });
  server.maxConnections = wayOut.guards.limits.netConnections;
  server.on('connect', (incoming, socket, head) =>
    tunnels.take(incoming, socket as Socket, head, !asked.has(socket as Socket)),
  );
  server.on('clientError', (_error, socket) => socket.destroy());
  hurry(wayOut, server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve());
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        wayOut.leave(tunnels);
      }),
  };
}

/** Whoever takes too long to say what it wants gives its place to others. */
function hurry({ clock, guards }: WayOut, server: Server): void {
  const waiting = new WeakMap<Socket, Timer>();
  const said = (socket: Socket): void => waiting.get(socket)?.cancel();
  server.on('connection', (socket) => {
    waiting.set(
      socket,
      clock.after(guards.limits.requestHeadMs, () => socket.destroy()),
    );
    socket.once('close', () => said(socket));
  });
  server.on('request', ({ socket }) => said(socket));
  server.on('connect', (_incoming, socket) => said(socket as Socket));
}

/** A request to a proxy: the whole address stands where a path belongs. */
const isForOthers = ({ url = '' }: IncomingMessage): boolean => !url.startsWith('/');

function refusePlain(wayOut: WayOut, caller: Caller, { url = '' }: IncomingMessage, outgoing: ServerResponse): void {
  const host = URL.canParse(url) ? (normalHost(new URL(url).hostname) ?? '') : '';
  wayOut.note({
    ...caller,
    ...{ kind: 'tunnel', host, port: 80, verdict: 'deny', reason: 'plain-http', up: 0, down: 0, ms: 0 },
  });
  const { status, said, headers } = refusal('plain-http', caller.agent, host);
  outgoing.writeHead(status, said, headers).end(`${said}\n`);
}

/** One row for each request to the model, once it is over. */
function noteModel(
  wayOut: WayOut,
  caller: Caller,
  endpoint: ModelEndpoint,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): void {
  const begun = wayOut.clock.now().getTime();
  const { socket } = incoming;
  const { bytesWritten } = socket;
  let up = 0;
  incoming.on('data', (chunk: Buffer) => (up += chunk.length));
  const { hostname, port, protocol } = modelUrl(endpoint);
  outgoing.once('close', () => {
    const { statusCode: status } = outgoing;
    wayOut.note({
      ...caller,
      kind: 'model',
      host: hostname,
      port: Number(port) || (protocol === 'https:' ? 443 : 80),
      verdict: status < 400 ? 'allow' : 'failed',
      reason: outgoing.writableFinished ? String(status) : `${status}, broke off`,
      up,
      down: socket.bytesWritten - bytesWritten,
      ms: wayOut.clock.now().getTime() - begun,
    });
  });
}

async function noteSearch(
  { wayOut, ...deps }: NetDeps,
  caller: Caller,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const begun = wayOut.clock.now().getTime();
  const maySearch = (agentId: string): Promise<boolean> => wayOut.maySearch(agentId);
  const agent = { id: caller.agentId, name: caller.agent };
  const { status, host, port } = await serveSearch({ ...deps, maySearch }, agent, incoming, outgoing);
  wayOut.note({
    ...{ ...caller, kind: 'search', host, port, up: 0, down: 0, ms: wayOut.clock.now().getTime() - begun },
    verdict: status === 200 ? 'allow' : status === 403 ? 'deny' : 'failed',
    reason: status === 403 ? 'no-search' : String(status),
  });
}
