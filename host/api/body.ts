/** The body of a request, read straight from the socket: the web streams in between would cost more than all the rest. */
import type { IncomingMessage } from 'node:http';
import { Refusal } from '../refusal.ts';

const BODY_BYTES = 2 * 1024 * 1024;

/** The JSON object in the body. Throws `Refusal`; what is too large is not kept. */
export async function readBody<T>(incoming: IncomingMessage): Promise<T> {
  const text = await readText(incoming);
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as T;
  } catch {
    // Said below.
  }
  throw new Refusal('bad-input', 'the request body is not a JSON object', 'Send application/json.');
}

function readText(incoming: IncomingMessage): Promise<string> {
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
