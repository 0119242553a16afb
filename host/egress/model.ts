/**
 * The model endpoint as a session sees it: a reverse proxy that serves the protocol's one path, drops every credential
 * the caller brought and adds the host's own.
 */
import {
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Redactor } from '../secrets/redact.ts';
import type { Secret } from '../secrets/redact-stream.ts';
import {
  keyFor,
  keyHeaders,
  MODEL_PATHS,
  modelUrl,
  refusedKey,
  type ModelEndpoint,
  type ModelKeys,
} from './endpoint.ts';
import { isPacked, passedBody, passedHeaders, retryAfterOf } from './model-answer.ts';
import { Silence } from './silence.ts';
import { thinkingOnly, wholeBody } from './thinking-only.ts';
import { classify, classifyWait, errorBody, type ErrorDetail, type ModelErrorCode } from './model-error.ts';
import { resetsAt } from './resets-at.ts';

/** Headers of the caller that go on; everything else, credentials first, stays behind. */
const REQUEST_HEADERS = ['content-type', 'accept', 'anthropic-version', 'anthropic-beta', 'user-agent'];
/** What ends by waiting. */
const WAITS: readonly ModelErrorCode[] = ['insufficient_quota', 'rate_limit_error', 'overloaded_error'];
const ERROR_BODY_BYTES = 16 * 1024;
const SAID_CHARS = 500;
/** Twice what a provider of ours keeps of a conversation; it is read whole, by a host that others wait for. */
const REQUEST_BYTES = 8 * 1024 * 1024;
const ANSWER_BYTES = 32 * 1024 * 1024;
/** An error's words are waited for so long; its status says enough. */
const ERROR_BODY_MS = 5_000;

export type ModelDeps = {
  keys: ModelKeys;
  redactor: Redactor;
  log: Log;
  clock: Clock;
  /** A request stands open and nothing has come for `LIMITS.silenceMs`; it is ended. */
  onSilent(): void;
};

export function serveModel(
  deps: ModelDeps,
  endpoint: ModelEndpoint | null,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): void {
  const path = (incoming.url ?? '').split('?', 1)[0];
  if (endpoint === null || incoming.method !== 'POST' || path !== MODEL_PATHS[endpoint.api]) {
    return refuse(outgoing, 404, 'not_allowed');
  }
  const key = keyFor(deps.keys, endpoint);
  if (!key.ok) return refuse(outgoing, 401, 'no_key', { message: key.fault });
  void forward(deps, endpoint, key.value, incoming, outgoing);
}

type More = ErrorDetail & { retryAfter?: string | undefined };

function refuse(outgoing: ServerResponse, status: number, code: ModelErrorCode, more: More = {}): void {
  if (outgoing.headersSent) {
    outgoing.destroy();
    return;
  }
  outgoing.writeHead(status, {
    'content-type': 'application/json',
    ...(more.retryAfter ? { 'retry-after': more.retryAfter } : {}),
  });
  outgoing.end(errorBody(code, more));
}

function pick(headers: IncomingHttpHeaders, names: readonly string[]): OutgoingHttpHeaders {
  return Object.fromEntries(names.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])));
}

async function forward(
  deps: ModelDeps,
  endpoint: ModelEndpoint,
  key: string | null,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const { api } = endpoint;
  const url = modelUrl(endpoint);
  const whole = await wholeBody(incoming, REQUEST_BYTES);
  if (whole === null) return refuse(outgoing, 413, 'context_length_exceeded');
  const checked = thinkingOnly(api, whole);
  if (!checked.ok) {
    deps.log.warn('model request refused', { host: url.host, refused: checked.refused });
    return refuse(outgoing, 403, 'not_allowed');
  }
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const headers = { ...pick(incoming.headers, REQUEST_HEADERS), ...keyHeaders(api, key) };
  const shown = key === null ? null : { name: endpoint.key ?? 'KEY', value: key };
  const upstream = send(url, { method: 'POST', headers });
  const silence = new Silence(deps.clock, () => {
    upstream.destroy(new Error('silent for too long'));
    deps.onSilent();
  });
  upstream.on('error', (error) => {
    deps.log.warn('model endpoint', { host: url.host, error: error.message });
    refuse(outgoing, 502, 'endpoint_unreachable');
  });
  upstream.on('response', (answer) => {
    answer.on('data', () => silence.heard());
    relay(deps, endpoint, shown, answer, outgoing);
  });
  // It may end without a word of error, as when it answers with another protocol (101).
  upstream.on('close', () => {
    silence.over();
    if (!outgoing.headersSent) refuse(outgoing, 502, 'endpoint_unreachable');
  });
  outgoing.on('close', () => upstream.destroy());
  upstream.end(checked.body);
}

/** `key`: what the endpoint was shown. */
function relay(
  deps: ModelDeps,
  endpoint: ModelEndpoint,
  key: Secret | null,
  answer: IncomingMessage,
  outgoing: ServerResponse,
): void {
  const status = answer.statusCode ?? 502;
  if (isPacked(answer)) {
    deps.log.warn('model endpoint', { host: new URL(endpoint.baseUrl).host, status, error: 'its answer is packed' });
    answer.destroy();
    return refuse(outgoing, 502, 'endpoint_unreachable');
  }
  if (status >= 200 && status < 300) {
    outgoing.writeHead(status, passedHeaders(answer.headers, key));
    atMost(ANSWER_BYTES, answer, () => outgoing.destroy());
    passedBody(answer, key).pipe(outgoing);
    answer.on('error', () => outgoing.destroy());
    return;
  }
  const chunks: Buffer[] = [];
  const told = (): void => {
    clearTimeout(timer);
    if (outgoing.headersSent) return;
    const body = Buffer.concat(chunks).toString('utf8').slice(0, ERROR_BODY_BYTES);
    const now = deps.clock.now();
    const resets = resetsAt(answer.headers, now);
    const code = classifyWait(classify(status, body), resets, now);
    const { host } = new URL(endpoint.baseUrl);
    deps.log.warn('model endpoint', { host, status, code, said: deps.redactor.beginning(body, SAID_CHARS) });
    const message = code === 'authentication_error' ? { message: refusedKey(endpoint) } : {};
    const waits = WAITS.includes(code) ? { resetsAt: resets, now } : {};
    const retryAfter = retryAfterOf(answer.headers, key);
    refuse(outgoing, status >= 400 ? status : 502, code, { ...message, ...waits, retryAfter });
  };
  const timer = setTimeout(told, ERROR_BODY_MS);
  atMost(ERROR_BODY_BYTES, answer, told);
  answer.on('data', (chunk: Buffer) => chunks.push(chunk));
  answer.on('end', told);
  answer.on('error', told);
}

/** Calls `over` once more than `limit` bytes have come. */
function atMost(limit: number, answer: IncomingMessage, over: () => void): void {
  let bytes = 0;
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > limit) over();
  });
}
