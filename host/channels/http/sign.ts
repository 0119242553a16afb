/**
 * Callbacks are signed as Standard Webhooks 1.0 says (github.com/standard-webhooks/standard-webhooks, spec): the id, the
 * time in seconds and the body, joined by dots; HMAC-SHA256 with the bytes that the secret holds in base64.
 */
import { createHmac } from 'node:crypto';

const SECRET_PREFIX = 'whsec_';

/** The three headers of one attempt. `id` is the same in every attempt of one delivery. */
export function signatureHeaders(secret: string, id: string, now: Date, body: string): Record<string, string> {
  const timestamp = String(Math.floor(now.getTime() / 1000));
  const key = Buffer.from(secret.slice(secret.startsWith(SECRET_PREFIX) ? SECRET_PREFIX.length : 0), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
