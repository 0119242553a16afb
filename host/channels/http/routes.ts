/** What programs ask of this channel. Nobody learns which chats there are: a wrong token and an unknown chat are one. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono, type Context } from 'hono';
import type { ChannelHost, Taken, Wire } from '../channel-host.ts';
import type { EventStreams } from './events.ts';
import { serveFile } from './files.ts';
import { dropFiles } from './form.ts';
import { openApi } from './openapi.ts';
import { isForm, keyOf, messageIn } from './receive.ts';
import type { ErrorAnswer, HttpSide, Known, MessageInput, TakenAnswer } from './types.ts';

export type RoutesDeps = {
  host: ChannelHost;
  side: HttpSide;
  streams: EventStreams;
  /** What is handed to the host and not answered yet. */
  handedIn: Set<Promise<Taken>>;
  isStopped(): boolean;
};
type Env = { Bindings: Wire };
type Status = 400 | 401 | 404 | 409 | 413 | 415 | 429 | 503;

const TAKING_PER_CHAT = 64;
/** Those that may bring files: so many times the largest message is what a chat has on the disk at once. */
const FORMS_PER_CHAT = 4;
const MAX_WAIT_MS = 60_000;
const BUSY_S = 1;
const NOT_NOW_S = 5;
/** Compared with where there is no such chat, so that the answer takes as long. */
const NOBODY = Buffer.alloc(32);

export function routes(deps: RoutesDeps): Hono<Env> {
  const app = new Hono<Env>();
  /** How many requests of a chat are being taken, forms by themselves. */
  const busy = new Map<string, number>();
  app.notFound((c) => answer(c, 404, 'there is nothing here', 'See /openapi.json.'));
  app.onError((error, c) => {
    deps.host.log.error('a request failed', { path: c.req.path, error: String(error) });
    return c.json({ error: 'the host failed', next: 'Send it again with the same Idempotency-Key.' }, 500);
  });
  app.get('/openapi.json', (c) => c.body(openApi(), 200, { 'content-type': 'application/json' }));
  app.use('/v1/chats/:chat/*', async (c, next) => {
    if (isAllowed(deps.side, c.req.param('chat'), c.env.incoming.headers.authorization)) return next();
    c.header('www-authenticate', 'Bearer');
    const how = 'Send Authorization: Bearer TOKEN with the token of this chat.';
    return answer(c, 401, 'no chat of this name has this token', how);
  });
  app.post('/v1/chats/:chat/messages', async (c) => {
    const chat = c.req.param('chat');
    const [kind, most] = isForm(c.env.incoming) ? [`${chat} forms`, FORMS_PER_CHAT] : [chat, TAKING_PER_CHAT];
    const n = busy.get(kind) ?? 0;
    if (n >= most) return later(c, 429, BUSY_S, `${most} messages of this kind are being taken`);
    busy.set(kind, n + 1);
    try {
      return await take(deps, c, chat);
    } finally {
      busy.set(kind, (busy.get(kind) ?? 1) - 1);
    }
  });
  app.get('/v1/chats/:chat/messages/:id', async (c) => {
    const waitMs = Math.min(Math.max(Number(c.req.query('wait') ?? 0) || 0, 0), MAX_WAIT_MS);
    const message = await deps.side.message(c.req.param('chat'), c.req.param('id'), waitMs);
    if (message !== null) return c.json(message);
    return answer(c, 404, 'no message of this id in this chat', 'Take the id that sending answered with.');
  });
  app.get('/v1/chats/:chat/events', (c) => follow(deps, c));
  app.get('/v1/chats/:chat/files/:delivery/:n', async (c) => {
    const { chat, delivery, n } = c.req.param();
    const file = await deps.side.file(chat, delivery, Number(n));
    const isThere = file !== null && (await serveFile(c.env.outgoing, file, c.req.method === 'HEAD'));
    if (isThere) return RESPONSE_ALREADY_SENT;
    return answer(c, 404, 'no such file in this chat', 'Take the url of a reply; files are kept for 30 days at most.');
  });
  return app;
}

function answer(c: Context<Env>, status: Status, error: string, next: string): Response {
  return c.json({ error, next } satisfies ErrorAnswer, status);
}

function later(c: Context<Env>, status: 429 | 503, seconds: number, error: string): Response {
  c.header('retry-after', String(seconds));
  return answer(c, status, error, 'Ask again a little later; a message with the same Idempotency-Key.');
}

function isAllowed(side: HttpSide, chat: string, authorization: string | undefined): boolean {
  const [, token = ''] = /^bearer ([\w-]{1,200})$/i.exec(authorization ?? '') ?? [];
  const hash = createHash('sha256').update(token).digest();
  const found = side.chat(chat);
  return timingSafeEqual(hash, found?.tokenHash ?? NOBODY) && found !== undefined;
}

async function take(deps: RoutesDeps, c: Context<Env>, chat: string): Promise<Response> {
  const { incoming } = c.env;
  const key = keyOf(incoming);
  if (!key.ok) return c.json(key.refusal, key.status);
  const read = await messageIn(deps.host, incoming, deps.side.limits);
  if (!read.ok) {
    if (read.status === 503) c.header('retry-after', String(NOT_NOW_S));
    return c.json(read.refusal, read.status);
  }
  try {
    return await handIn(deps, c, key.value, { ...read.value, sender: `http:${chat}/${read.value.sender}` });
  } finally {
    await dropFiles(read.value.files);
  }
}

/** 202 only after the commit. */
async function handIn(deps: RoutesDeps, c: Context<Env>, key: string, input: MessageInput): Promise<Response> {
  const chat = c.req.param('chat') ?? '';
  if (!(await isNoOther(deps, chat, key, input))) return isAnother(c);
  const { host } = deps;
  const { sender, text, thread, files } = input;
  const address = { channel: host.name, chat, thread };
  if (deps.isStopped()) return later(c, 503, NOT_NOW_S, 'the host is ending');
  const accepting = host.accept({ address, platformId: key, sender, text, files });
  deps.handedIn.add(accepting);
  const taken = await accepting;
  deps.handedIn.delete(accepting);
  // Two with one key came at once: what was stored is what counts.
  const same = taken.status !== 'taken' || !taken.repeated || (await isNoOther(deps, chat, key, input));
  return same ? tell(c, taken) : isAnother(c);
}

const isSame = (it: Known, { sender, text, thread }: MessageInput): boolean =>
  it.sender === sender && it.text === text && it.thread === thread;

/** Nothing that came with this key is another message. */
async function isNoOther({ side }: RoutesDeps, chat: string, key: string, input: MessageInput): Promise<boolean> {
  for (const it of await side.known(chat, key)) {
    if (!isSame(it, input) || !(await side.sameFiles(it.files, input.files))) return false;
  }
  return true;
}

const isAnother = (c: Context<Env>): Response =>
  answer(c, 409, 'another message came with this Idempotency-Key', 'Take a new key for a new message.');

function tell(c: Context<Env>, taken: Taken): Response {
  switch (taken.status) {
    case 'taken':
      return c.json({ id: taken.eventId, repeated: taken.repeated } satisfies TakenAnswer, 202);
    case 'not-now':
      return later(c, 503, NOT_NOW_S, 'the message could not be kept');
    case 'refused':
      return answer(c, refusedAs(taken.code), taken.reason, taken.next);
  }
}

function refusedAs(code: Extract<Taken, { status: 'refused' }>['code']): Status {
  switch (code) {
    case 'bad-input':
      return 400;
    case 'too-large':
      return 413;
    case 'exists':
      return 409;
    case 'forbidden':
    case 'not-found':
      return 404;
  }
}

function follow(deps: RoutesDeps, c: Context<Env, '/v1/chats/:chat/events'>): Response {
  const chat = c.req.param('chat');
  const cursor = c.req.header('last-event-id') ?? c.req.query('after');
  if (cursor !== undefined && !/^\d{1,15}$/.test(cursor)) {
    return answer(c, 400, 'the cursor is not the id of an event', 'Send the last one you have, 0, or none.');
  }
  if (deps.side.chat(chat)?.callback != null) {
    return answer(c, 409, 'replies of this chat are posted to its callback', 'Read them there.');
  }
  if (deps.streams.isFull(chat)) return later(c, 429, BUSY_S, 'too many read the events of this chat');
  deps.streams.connect(chat, c.env.outgoing, cursor === undefined ? null : Number(cursor));
  return RESPONSE_ALREADY_SENT;
}
