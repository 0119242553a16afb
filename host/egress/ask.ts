/** One request of the host's own to a model endpoint: bounded in time and size, and what goes wrong in words. */
import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Redactor } from '../secrets/redact.ts';
import { keyFor, keyHeaders, refusedKey, type ModelEndpoint, type ModelKeys } from './endpoint.ts';
import { classify, reasonOf } from './model-error.ts';

export type AskDeps = { keys: ModelKeys; redactor: Redactor; clock: Clock; log: Log };
export type Question = { url: URL; method: 'GET' | 'POST'; body?: object; deadlineMs: number };

/** `reason` is one that `failureOf` understands; `said` is the endpoint's own text, for the host and its log only. */
export type Answered = { ok: true; body: unknown } | { ok: false; status: number | null; reason: string; said: string };

const ANSWER_BYTES = 1024 * 1024;
const SAID_CHARS = 500;
/** Without it Anthropic's endpoint refuses (docs.anthropic.com, "Versioning"). */
const VERSION = { 'anthropic-version': '2023-06-01' };

/** Never rejects. */
export async function ask(deps: AskDeps, endpoint: ModelEndpoint, question: Question): Promise<Answered> {
  const key = keyFor(deps.keys, endpoint);
  if (!key.ok) return failed(reasonOf('no_key', key.fault));
  const headers = {
    accept: 'application/json',
    ...(question.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(endpoint.api === 'anthropic' ? VERSION : {}),
    ...keyHeaders(endpoint.api, key.value),
  };
  try {
    const { status, text } = await exchange(deps.clock, question, headers);
    if (status >= 200 && status < 300) return parsed(text);
    const code = classify(status, text);
    const said = deps.redactor.beginning(text, SAID_CHARS);
    deps.log.warn('model endpoint', { host: question.url.host, status, code, said });
    const reason = code === 'authentication_error' ? reasonOf(code, refusedKey(endpoint)) : reasonOf(code);
    return { ok: false, status, reason, said: text };
  } catch (error) {
    const cause = causeOf(error, question);
    deps.log.warn('model endpoint', { host: question.url.host, error: cause });
    return failed(reasonOf('endpoint_unreachable', cause));
  }
}

const failed = (reason: string): Answered => ({ ok: false, status: null, reason, said: '' });

function parsed(text: string): Answered {
  try {
    return { ok: true, body: JSON.parse(text) as unknown };
  } catch {
    return failed('model: what answers there is no model endpoint: its answer is not JSON');
  }
}

class TooLarge extends Error {}

/** Rejects with what broke the connection, when the deadline comes first, and when the answer is too large. */
export function exchange(
  clock: Clock,
  { url, method, body, deadlineMs }: Question,
  headers: OutgoingHttpHeaders,
): Promise<{ status: number; text: string }> {
  const late = new AbortController();
  const timer = clock.after(deadlineMs, () => late.abort());
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const answered = new Promise<{ status: number; text: string }>((resolve, reject) => {
    const upstream = send(url, { method, headers, agent: false, signal: late.signal }, (answer) => {
      readAll(answer).then((text) => resolve({ status: answer.statusCode ?? 502, text }), reject);
    });
    upstream.on('error', reject);
    upstream.end(body === undefined ? undefined : JSON.stringify(body));
  });
  return answered.finally(() => timer.cancel());
}

async function readAll(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES) throw new TooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function causeOf(error: unknown, { url, deadlineMs }: Question): string {
  if (error instanceof TooLarge) return `${url.host} answered with over ${ANSWER_BYTES} bytes`;
  const { code = '' } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ABORT_ERR':
      return `${url.host} did not answer within ${deadlineMs / 1000} s`;
    case 'ECONNREFUSED':
      return `nothing listens at ${url.host}`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `no address is known for ${url.hostname}`;
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
    case 'ETIMEDOUT':
      return `there is no way to ${url.host}`;
    default:
      break;
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO/.test(code)) return `the certificate of ${url.host} is not trusted (${code})`;
  if (/SSL|EPROTO/.test(code)) return `${url.host} does not speak https`;
  return `the connection to ${url.host} broke off`;
}
