/** What routes read of a request. */
import type { IncomingMessage } from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import { Refusal } from '../refusal.ts';

export type Env = { Bindings: HttpBindings };

const BODY_BYTES = 2 * 1024 * 1024;

/** A JSON object. Throws `Refusal`, without a word of what came instead. */
export async function body<T>(c: Context<Env>): Promise<T> {
  const text = await textOf(c.env.incoming as IncomingMessage);
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as T;
  } catch {
    // Refused below.
  }
  throw new Refusal('bad-input', 'the request body is not a JSON object', 'Send application/json.');
}

/** Straight from the socket: the web streams in between cost more than all the rest. What is too large is not kept. */
function textOf(incoming: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= BODY_BYTES) chunks.push(chunk);
      else reject(new Refusal('too-large', `the request is over ${BODY_BYTES} bytes`, 'Send less at once.'));
    });
    incoming.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    incoming.on('close', () => {
      if (!incoming.complete) reject(new Refusal('bad-input', 'the request was cut off', 'Send it again.'));
    });
  });
}

/** Who asks. Whoever opened the socket is an owner already; the header only says which of them. */
export function senderOf(c: Context<Env>, hostUid: number): string {
  const claimed = c.env.incoming.headers['x-halfdoor-uid'];
  return `local:${typeof claimed === 'string' && /^\d{1,10}$/.test(claimed) ? claimed : hostUid}`;
}
