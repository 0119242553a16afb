/** One callback: a POST that ends in what became of it. No redirect is followed and no answer is read. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Failed, Sent } from '../channel.ts';
import type { ChannelHost } from '../channel-host.ts';

export type Post = { url: string; headers: Record<string, string>; body: string; signal: AbortSignal };

/** From the first look-up of the name to the head of the answer. */
const ANSWER_MS = 10_000;
/** More of an answer than this is not waited for. */
const IGNORED_BYTES = 64 * 1024;
/** The receiver has not taken it and may do so later; of any other 5xx nobody knows what was done before it. */
const NOT_NOW = [408, 425, 429, 503];

/** Never rejects. A connection of its own each time: a kept one may be gone just when it is used. */
export function post(host: Pick<ChannelHost, 'after' | 'now'>, { url, headers, body, signal }: Post): Promise<Sent> {
  const target = new URL(url);
  const at = `its receiver at ${target.host}`;
  return new Promise((resolve) => {
    let written = false;
    const request = target.protocol === 'https:' ? httpsRequest : httpRequest;
    const length = String(Buffer.byteLength(body));
    const outgoing = request(target, {
      method: 'POST',
      agent: false,
      signal,
      headers: { ...headers, 'content-type': 'application/json', 'content-length': length, 'user-agent': 'halfdoor' },
    });
    const timer = host.after(ANSWER_MS, () => outgoing.destroy(new Error(`no answer in ${ANSWER_MS / 1000} s`)));
    outgoing.on('finish', () => (written = true));
    outgoing.on('close', () => timer.cancel());
    outgoing.on('error', (error) => {
      resolve(failed(true, `${at} could not be reached: ${error.message}`, written));
    });
    outgoing.on('response', (answer) => {
      ignore(answer);
      resolve(outcome(answer.statusCode ?? 0, answer.headers['retry-after'], host.now(), at));
    });
    outgoing.end(body);
  });
}

/** Decides purely: what an answer says of the delivery. */
export function outcome(status: number, retryAfter: string | undefined, now: Date, at: string): Sent {
  if (status >= 200 && status < 300) return { status: 'sent', platformId: null };
  const reason = `${at} answered ${status}`;
  if (status >= 300 && status < 400) return failed(false, `${reason}, and redirects are not followed`, false);
  if (status < 500 && !NOT_NOW.includes(status)) return failed(false, reason, false);
  return { ...failed(true, reason, !NOT_NOW.includes(status)), retryAfterMs: retryAfterMs(retryAfter, now) };
}

const failed = (transient: boolean, reason: string, maybeSeen: boolean): Failed => ({
  status: 'failed',
  transient,
  reason,
  maybeSeen,
  retryAfterMs: null,
});

/** Seconds or a date (RFC 9110, 10.2.3); null for neither. */
export function retryAfterMs(value: string | undefined, now: Date): number | null {
  if (value === undefined) return null;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : Math.max(0, at - now.getTime());
}

function ignore(answer: IncomingMessage): void {
  let bytes = 0;
  answer.on('error', () => {});
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > IGNORED_BYTES) answer.destroy();
  });
}
