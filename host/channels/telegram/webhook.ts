/** Updates that Telegram posts (core.telegram.org/bots/api#setwebhook): 200 only after the commit, else it sends them again. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Incomings } from './incomings.ts';

export type WebhookDeps = { incomings: Incomings; secret(): string | null; taking(): boolean };

const BODY_BYTES = 1024 * 1024;
const SECRET_HEADER = 'x-telegram-bot-api-secret-token';

/** Never rejects. */
export async function answerWebhook(deps: WebhookDeps, request: Request): Promise<Response> {
  const secret = deps.secret();
  if (secret === null || !isSame(request.headers.get(SECRET_HEADER) ?? '', secret))
    return new Response('', { status: 401 });
  if (request.method !== 'POST') return new Response('', { status: 405 });
  if (!deps.taking()) return new Response('', { status: 503 });
  const text = await bodyOf(request);
  if (text === null) return new Response('', { status: 413 });
  return new Response('', { status: (await take(deps, text)) ? 200 : 503 });
}

/** What is no JSON never will be: it is acknowledged. */
async function take({ incomings }: WebhookDeps, text: string): Promise<boolean> {
  let update: unknown;
  try {
    update = JSON.parse(text);
  } catch {
    return true;
  }
  return incomings.take(update);
}

/** Of their digests, in constant time: no length shows either. */
function isSame(given: string, secret: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(secret));
}

/** Null when it is too large or breaks off. */
async function bodyOf(request: Request): Promise<string | null> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const part of request.body ?? []) {
      bytes += part.length;
      if (bytes > BODY_BYTES) return null;
      parts.push(part);
    }
  } catch {
    return null;
  }
  return Buffer.concat(parts).toString('utf8');
}
