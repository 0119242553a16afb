/** What routes read of a request. */
import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import { Refusal } from '../refusal.ts';

export type Env = { Bindings: HttpBindings };

/** A JSON object. Throws `Refusal`, without a word of what came instead. */
export async function body<T>(c: Context<Env>): Promise<T> {
  const value: unknown = await c.req.json().catch(() => null);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as T;
  throw new Refusal('bad-input', 'the request body is not a JSON object', 'Send application/json.');
}

/** Who asks. Whoever opened the socket is an owner already; the header only says which of them. */
export function senderOf(c: Context<Env>, hostUid: number): string {
  const claimed = c.req.header('x-halfdoor-uid');
  return `local:${claimed !== undefined && /^\d{1,10}$/.test(claimed) ? claimed : hostUid}`;
}
