/** What of a model endpoint's answer goes inside. The endpoint was shown a key: neither its headers nor its words bring it along. */
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { SecretRemover, withoutSecret, type Secret } from '../secrets/redact-stream.ts';

/** Each with what it may look like (RFC 9110, 8.3, 10.2.3; RFC 9111, 5.2); what looks otherwise stays behind. */
const HEADERS: Readonly<Record<string, RegExp>> = {
  'content-type': /^[\w.+-]+\/[\w.+-]+(; *charset="?[\w-]+"?)?$/,
  'cache-control': /^[\w=, -]{1,200}$/,
  'retry-after': /^(\d{1,9}|[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT)$/,
  'request-id': /^[\w.:-]{1,128}$/,
  'x-request-id': /^[\w.:-]{1,128}$/,
};

/** `key`: what the endpoint was given; null where it was given none. */
export function passedHeaders(headers: IncomingHttpHeaders, key: Secret | null): OutgoingHttpHeaders {
  return Object.fromEntries(Object.keys(HEADERS).flatMap((name) => passed(headers, name, key)));
}

/** The time to wait, as it may go inside. */
export const retryAfterOf = (headers: IncomingHttpHeaders, key: Secret | null): string | undefined =>
  passed(headers, 'retry-after', key)[0]?.[1];

function passed(headers: IncomingHttpHeaders, name: string, key: Secret | null): [name: string, value: string][] {
  const value = headers[name];
  if (typeof value !== 'string' || !HEADERS[name]?.test(value)) return [];
  return key !== null && withoutSecret(value, key) !== value ? [] : [[name, value]];
}

/** Nobody asked for a packed answer, and in one no key is found. */
export function isPacked({ headers }: IncomingMessage): boolean {
  const { 'content-encoding': encoding = 'identity' } = headers;
  return encoding.toLowerCase() !== 'identity';
}

/** The words without the key. An error of `answer` is not handed on. */
export const passedBody = (answer: IncomingMessage, key: Secret | null): Readable =>
  key === null ? answer : answer.pipe(new SecretRemover(key));
