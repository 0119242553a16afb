/** The HTTP API on the host's own Unix socket. Routes call; they decide nothing. */
import { chmodSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono, type Context } from 'hono';
import type { Accepted } from '../inbound/accept.ts';
import { createAgent, getAgent, listAgents, type AgentsDeps } from '../agents/agents.ts';
import type { Incoming } from '../channels/channel-host.ts';
import { isDiskFull } from '../disk-full.ts';
import { sessionPaths } from '../home.ts';
import { errorText, type Log } from '../log.ts';
import type { Deliverer } from '../outbound/deliver.ts';
import { Refusal, type RefusalCode } from '../refusal.ts';
import type { FoldersDeps } from '../agents/give-folder.ts';
import { addChannelRoutes, type ChannelsDeps } from './channels.ts';
import { serveChat, type ChatDeps } from './chat.ts';
import type { AgentInput, MessageView, SendInput, StatusView } from './contract.ts';
import { addEgressRoutes, type EgressDeps } from './egress.ts';
import { addFolderRoutes } from './folders.ts';
import { addOperator, type OperatorDeps } from './operator.ts';
import { addOwnerRoutes, type OwnerDeps } from './owner.ts';
import { body, senderOf, type Env } from './request.ts';
import { addUploadRoute, uploaded } from './uploads.ts';
import { messageView, sessionViews } from './view.ts';

export type ApiDeps = AgentsDeps &
  ChatDeps &
  OperatorDeps &
  OwnerDeps &
  FoldersDeps &
  ChannelsDeps &
  EgressDeps & {
    log: Log;
    /** Over every error that is answered. */
    redact(text: string): string;
    deliverer: Deliverer;
    accept(incoming: Incoming): Promise<Accepted>;
    status(): Promise<StatusView>;
    /** Asks the host to end; answers before it does. */
    shutDown(): void;
  };

const MAX_WAIT_MS = 10 * 60_000;
const STATUS: Record<RefusalCode, 400 | 403 | 404 | 409 | 413 | 503> = {
  'bad-input': 400,
  forbidden: 403,
  'not-found': 404,
  exists: 409,
  'too-large': 413,
  unavailable: 503,
};

/** Listens at `path`, mode 0600. */
export async function serveApi(deps: ApiDeps, path: string): Promise<{ close(): Promise<void> }> {
  const server = createAdaptorServer({ fetch: routes(deps).fetch }) as Server;
  rmSync(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve());
  });
  chmodSync(path, 0o600);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function routes(deps: ApiDeps): Hono<Env> {
  const app = new Hono<Env>();
  app.onError((error, c) => answerError(deps, error, c));
  app.notFound((c) => {
    const error = deps.redact(`no ${c.req.method} ${c.req.path} here`);
    return c.json({ error, next: 'See `./halfdoor help`.' }, 404);
  });
  app.get('/v1/status', async (c) => c.json(await deps.status()));
  app.post('/v1/stop', (c) => {
    deps.shutDown();
    return c.json({ stopping: true }, 202);
  });
  app.get('/v1/agents', async (c) => c.json(await listAgents(deps)));
  app.post('/v1/agents', async (c) => c.json(await createAgent(deps, await body<AgentInput>(c)), 201));
  addUploadRoute(app, deps);
  app.get('/v1/agents/:name', async (c) => c.json(await getAgent(deps, c.req.param('name'))));
  app.post('/v1/agents/:name/messages', async (c) => c.json(await send(deps, c), 202));
  addOwnerRoutes(app, deps);
  addFolderRoutes(app, deps);
  addChannelRoutes(app, deps);
  addEgressRoutes(app, deps);
  app.get('/v1/agents/:name/chat', async (c) => {
    const agent = await getAgent(deps, c.req.param('name'));
    await serveChat(deps, agent, c.env.outgoing);
    return RESPONSE_ALREADY_SENT;
  });
  app.get('/v1/messages/:id', async (c) => c.json(await waitFor(deps, c.req.param('id'), c.req.query('wait'))));
  app.post('/v1/deliveries/received', async (c) => c.json({ ended: await received(deps, await body(c)) }));
  app.get('/v1/sessions', async (c) => c.json(await views(deps, null)));
  addOperator(app, deps, (id) => oneSession(deps, id));
  return app;
}

function answerError({ log, redact }: ApiDeps, error: unknown, c: Context<Env>): Response {
  if (error instanceof Refusal) {
    return c.json({ error: redact(error.message), next: redact(error.next) }, STATUS[error.code]);
  }
  log.error('request failed', { path: c.req.path, error: errorText(error) });
  if (isDiskFull(error))
    return c.json({ error: 'the disk of the home is full', next: 'Make room, then try again.' }, 503);
  return c.json({ error: 'the host failed', next: 'See host.log in the home, and try again.' }, 500);
}

async function send(deps: ApiDeps, c: Context<Env, '/v1/agents/:name/messages'>): Promise<MessageView> {
  const input = await body<SendInput>(c);
  if (typeof input.text !== 'string') throw new Refusal('bad-input', 'text is missing', 'Send {"text": "…"}.');
  const platformId = input.id === undefined ? deps.ids() : String(input.id);
  const name = c.req.param('name');
  const address = { channel: 'terminal', chat: name, thread: null };
  const files = uploaded(deps, input.files);
  const incoming = { address, platformId, sender: senderOf(c, deps.uid), text: input.text, files };
  const { eventId } = await deps.accept(incoming).catch(async (error: unknown) => {
    // No such chat: most likely there is no such agent, which says more.
    if (error instanceof Refusal && error.code === 'not-found') await getAgent(deps, name);
    throw error;
  });
  return { id: eventId, status: 'accepted', replies: [], notices: [] };
}

/** Answers when the message is settled, or after `wait` milliseconds with how it stands. */
async function waitFor(deps: ApiDeps, id: string, wait: string | undefined): Promise<MessageView> {
  const waitMs = Math.min(Math.max(Number(wait ?? 0) || 0, 0), MAX_WAIT_MS);
  let wake = (): void => {};
  let expired = waitMs === 0;
  const end = deps.signals.on('settled', ({ eventIds }) => {
    if (eventIds.includes(id)) wake();
  });
  const timer = deps.clock.after(waitMs, () => {
    expired = true;
    wake();
  });
  try {
    for (;;) {
      const signal = new Promise<void>((resolve) => (wake = resolve));
      const view = await messageView(deps.central.read, id);
      if (!view) throw new Refusal('not-found', `no message ${id}`, 'Take the id that sending answered with.');
      if (view.status !== 'accepted' || expired) return view;
      await signal;
    }
  } finally {
    timer.cancel();
    end();
  }
}

async function received(deps: ApiDeps, input: { ids?: unknown }): Promise<number> {
  const ids = Array.isArray(input.ids)
    ? input.ids.filter((id): id is string => typeof id === 'string').slice(0, 500)
    : [];
  const elsewhere = ids.filter((id) => !deps.terminal.received(id));
  return ids.length - elsewhere.length + (await deps.deliverer.confirm(elsewhere));
}

const views = (deps: ApiDeps, prefix: string | null) =>
  sessionViews(deps.central.read, deps.sessions, (id) => sessionPaths(deps.home, id).folder, prefix);

async function oneSession(deps: ApiDeps, id: string) {
  const found = /^[0-9a-f-]{4,36}$/.test(id) ? await views(deps, id) : [];
  const [only, ...more] = found;
  if (only && more.length === 0) return only;
  if (only) throw new Refusal('bad-input', `${found.length} sessions begin with ${id}`, 'Give more of the id.');
  throw new Refusal('not-found', `no session ${id}`, 'See `./halfdoor sessions list`.');
}
