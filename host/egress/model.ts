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
import type { Log } from '../log.ts';
import type { Redactor } from '../secrets/redact.ts';
import {
  keyFor,
  keyHeaders,
  MODEL_PATHS,
  modelUrl,
  refusedKey,
  type ModelEndpoint,
  type ModelKeys,
} from './endpoint.ts';
import { classify, errorBody, type ModelErrorCode } from './model-error.ts';

/** Headers of the caller that go on; everything else, credentials first, stays behind. */
const REQUEST_HEADERS = [
  'content-type',
  'content-length',
  'accept',
  'anthropic-version',
  'anthropic-beta',
  'user-agent',
];
const RESPONSE_HEADERS = ['content-type', 'cache-control', 'retry-after', 'request-id', 'x-request-id'];
const ERROR_BODY_BYTES = 16 * 1024;
const SAID_CHARS = 500;
const REQUEST_BYTES = 32 * 1024 * 1024;

export type ModelDeps = { keys: ModelKeys; redactor: Redactor; log: Log };

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
  forward(deps, endpoint, key.value, incoming, outgoing);
}

type More = { message?: string; retryAfter?: string | undefined };

function refuse(outgoing: ServerResponse, status: number, code: ModelErrorCode, more: More = {}): void {
  if (outgoing.headersSent) {
    outgoing.destroy();
    return;
  }
  outgoing.writeHead(status, {
    'content-type': 'application/json',
    ...(more.retryAfter ? { 'retry-after': more.retryAfter } : {}),
  });
  outgoing.end(errorBody(code, more.message));
}

function pick(headers: IncomingHttpHeaders, names: readonly string[]): OutgoingHttpHeaders {
  return Object.fromEntries(names.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])));
}

function forward(
  deps: ModelDeps,
  endpoint: ModelEndpoint,
  key: string | null,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): void {
  const { api } = endpoint;
  const url = modelUrl(endpoint);
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const headers = { ...pick(incoming.headers, REQUEST_HEADERS), ...keyHeaders(api, key) };
  const upstream = send(url, { method: 'POST', headers, timeout: LIMITS.silenceMs });
  upstream.on('timeout', () => upstream.destroy(new Error('silent for too long')));
  upstream.on('error', (error) => {
    deps.log.warn('model endpoint', { host: url.host, error: error.message });
    refuse(outgoing, 502, 'endpoint_unreachable');
  });
  upstream.on('response', (answer) => relay(deps, endpoint, answer, outgoing));
  outgoing.on('close', () => upstream.destroy());
  let bytes = 0;
  incoming.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > REQUEST_BYTES) {
      incoming.unpipe(upstream);
      upstream.destroy();
      refuse(outgoing, 413, 'context_length_exceeded');
    }
  });
  incoming.pipe(upstream);
}

function relay(deps: ModelDeps, endpoint: ModelEndpoint, answer: IncomingMessage, outgoing: ServerResponse): void {
  const status = answer.statusCode ?? 502;
  if (status >= 200 && status < 300) {
    outgoing.writeHead(status, pick(answer.headers, RESPONSE_HEADERS));
    answer.pipe(outgoing);
    answer.on('error', () => outgoing.destroy());
    return;
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  answer.on('data', (chunk: Buffer) => {
    if (bytes < ERROR_BODY_BYTES) chunks.push(chunk);
    bytes += chunk.length;
  });
  answer.on('end', () => {
    const body = Buffer.concat(chunks).toString('utf8').slice(0, ERROR_BODY_BYTES);
    const code = classify(status, body);
    const { host } = new URL(endpoint.baseUrl);
    deps.log.warn('model endpoint', { host, status, code, said: deps.redactor.beginning(body, SAID_CHARS) });
    const message = code === 'authentication_error' ? { message: refusedKey(endpoint) } : {};
    refuse(outgoing, status >= 400 ? status : 502, code, { ...message, retryAfter: answer.headers['retry-after'] });
  });
  answer.on('error', () => refuse(outgoing, 502, 'endpoint_unreachable'));
}
