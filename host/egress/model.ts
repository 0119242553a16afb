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
import { LIMITS } from '@halfdoor/protocol/limits';
import type { ModelApi } from '@halfdoor/protocol/message';
import type { Log } from '../log.ts';
import { thinkingOnly, wholeBody } from './thinking-only.ts';
import { classify, errorBody, type ModelErrorCode } from './model-error.ts';

export type ModelEndpoint = { api: ModelApi; baseUrl: string; ownAddress: boolean };
export type ModelKeys = Readonly<Record<ModelApi, string | null>>;

const PATHS: Record<ModelApi, string> = { anthropic: '/v1/messages', openai: '/v1/chat/completions' };
const DEFAULT_BASE: Record<ModelApi, string> = {
  anthropic: 'https://api.anthropic.com/v1',
  openai: 'https://api.openai.com/v1',
};

/** Headers of the caller that go on; everything else, credentials first, stays behind. */
const REQUEST_HEADERS = ['content-type', 'accept', 'anthropic-version', 'anthropic-beta', 'user-agent'];
const RESPONSE_HEADERS = ['content-type', 'cache-control', 'retry-after', 'request-id', 'x-request-id'];
const ERROR_BODY_BYTES = 16 * 1024;
/** Twice what a provider of ours keeps of a conversation; it is read whole, by a host that others wait for. */
const REQUEST_BYTES = 8 * 1024 * 1024;
const ANSWER_BYTES = 32 * 1024 * 1024;
/** An error's words are waited for so long; its status says enough. */
const ERROR_BODY_MS = 5_000;

/** Where an agent's requests go; `baseUrl` as its owner wrote it, with or without /v1. */
export function endpointOf(api: ModelApi, baseUrl: string | null): ModelEndpoint {
  const base = (baseUrl ?? DEFAULT_BASE[api]).replace(/\/+$/, '');
  return { api, baseUrl: base.endsWith('/v1') ? base : `${base}/v1`, ownAddress: baseUrl !== null };
}

export function serveModel(
  deps: { keys: ModelKeys; log: Log },
  endpoint: ModelEndpoint | null,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): void {
  const path = (incoming.url ?? '').split('?', 1)[0];
  if (endpoint === null || incoming.method !== 'POST' || path !== PATHS[endpoint.api]) {
    return refuse(outgoing, 404, 'not_allowed');
  }
  const key = deps.keys[endpoint.api];
  // A local model wants no key; the public endpoints do.
  if (key === null && !endpoint.ownAddress) return refuse(outgoing, 401, 'no_key');
  void forward(
    deps.log,
    new URL(endpoint.baseUrl + PATHS[endpoint.api].slice('/v1'.length)),
    endpoint.api,
    key,
    incoming,
    outgoing,
  );
}

function refuse(outgoing: ServerResponse, status: number, code: ModelErrorCode, retryAfter?: string): void {
  if (outgoing.headersSent) {
    outgoing.destroy();
    return;
  }
  outgoing.writeHead(status, {
    'content-type': 'application/json',
    ...(retryAfter ? { 'retry-after': retryAfter } : {}),
  });
  outgoing.end(errorBody(code));
}

function pick(headers: IncomingHttpHeaders, names: readonly string[]): OutgoingHttpHeaders {
  return Object.fromEntries(names.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])));
}

function headersFor(api: ModelApi, key: string | null, incoming: IncomingMessage): OutgoingHttpHeaders {
  const headers = pick(incoming.headers, REQUEST_HEADERS);
  if (key !== null && api === 'anthropic') headers['x-api-key'] = key;
  if (key !== null && api === 'openai') headers.authorization = `Bearer ${key}`;
  return headers;
}

async function forward(
  log: Log,
  url: URL,
  api: ModelApi,
  key: string | null,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const whole = await wholeBody(incoming, REQUEST_BYTES);
  if (whole === null) return refuse(outgoing, 413, 'context_length_exceeded');
  const checked = thinkingOnly(api, whole);
  if (!checked.ok) {
    log.warn('model request refused', { host: url.host, refused: checked.refused });
    return refuse(outgoing, 403, 'not_allowed');
  }
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const upstream = send(url, { method: 'POST', headers: headersFor(api, key, incoming), timeout: LIMITS.silenceMs });
  upstream.on('timeout', () => upstream.destroy(new Error('silent for too long')));
  upstream.on('error', (error) => {
    log.warn('model endpoint', { host: url.host, error: error.message });
    refuse(outgoing, 502, 'endpoint_unreachable');
  });
  upstream.on('response', (answer) => relay(log, url, key, answer, outgoing));
  // It may end without a word of error, as when it answers with another protocol (101).
  upstream.on('close', () => {
    if (!outgoing.headersSent) refuse(outgoing, 502, 'endpoint_unreachable');
  });
  outgoing.on('close', () => upstream.destroy());
  upstream.end(checked.body);
}

function relay(log: Log, url: URL, key: string | null, answer: IncomingMessage, outgoing: ServerResponse): void {
  const status = answer.statusCode ?? 502;
  if (status >= 200 && status < 300) {
    outgoing.writeHead(status, pick(answer.headers, RESPONSE_HEADERS));
    atMost(ANSWER_BYTES, answer, () => outgoing.destroy());
    answer.pipe(outgoing);
    answer.on('error', () => outgoing.destroy());
    return;
  }
  const chunks: Buffer[] = [];
  const told = (): void => {
    clearTimeout(timer);
    if (outgoing.headersSent) return;
    const body = Buffer.concat(chunks).toString('utf8').slice(0, ERROR_BODY_BYTES);
    const code = classify(status, body);
    const said = key === null ? body : body.replaceAll(key, '[key]');
    log.warn('model endpoint', { host: url.host, status, code, said: said.slice(0, 500) });
    refuse(outgoing, status >= 400 ? status : 502, code, answer.headers['retry-after']);
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
