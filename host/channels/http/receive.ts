/** A message as it comes in: read no further than it may be long, and taken only as it is documented. */
import type { IncomingMessage } from 'node:http';
import { formIn, dropFiles, type Spool } from './form.ts';
import { refuse, type Read } from './refuse.ts';
import type { FileLimits, MessageInput } from './types.ts';

/** 64 KiB of text take at most six times that in JSON. */
const BODY_BYTES = 512 * 1024;
const KEY = /^[\x21-\x7e]{1,200}$/;
const SENDER_CHARS = 200;
const FIELDS = ['sender', 'text', 'thread'];

type Words = Omit<MessageInput, 'files'>;

const isTooLong = (): Read<never> =>
  refuse(413, `the request is over ${BODY_BYTES} bytes`, 'Send it in parts: a text has at most 64 KiB.');

/** The platform's id of a message here. */
export function keyOf({ headers }: IncomingMessage): Read<string> {
  const key = headers['idempotency-key'];
  if (typeof key === 'string' && KEY.test(key)) return { ok: true, value: key };
  const next = 'Send one of 1 to 200 visible ASCII characters, new for each message, the same when you send it again.';
  return refuse(400, 'the header Idempotency-Key is missing or malformed', next);
}

const typeOf = ({ headers }: IncomingMessage): string =>
  (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';

/** Whether it may bring files. */
export const isForm = (incoming: IncomingMessage): boolean => typeOf(incoming) === 'multipart/form-data';

/** Its files are in the spool then, for the caller to drop. */
export async function messageIn(
  host: Spool,
  incoming: IncomingMessage,
  limits: FileLimits,
): Promise<Read<MessageInput>> {
  if (isForm(incoming)) return withFiles(host, incoming, limits);
  if (typeOf(incoming) !== 'application/json') {
    const next = 'Send {"sender": "…", "text": "…"} as application/json, or with files as multipart/form-data.';
    return refuse(415, 'the request is neither application/json nor multipart/form-data', next);
  }
  if (Number(incoming.headers['content-length'] ?? 0) > BODY_BYTES) return isTooLong();
  const text = await textOf(incoming);
  if (text === null) return isTooLong();
  const read = parsed(text, 'the request body');
  return read.ok ? { ok: true, value: { ...read.value, files: [] } } : read;
}

async function withFiles(host: Spool, incoming: IncomingMessage, limits: FileLimits): Promise<Read<MessageInput>> {
  const form = await formIn(host, incoming, { ...limits, fieldBytes: BODY_BYTES });
  if (!form.ok) return form;
  const { message, files } = form.value;
  const read = parsed(message, 'the field message');
  if (read.ok) return { ok: true, value: { ...read.value, files } };
  await dropFiles(files);
  return read;
}

function parsed(text: string, what: string): Read<Words> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = null;
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return checked(value as Record<string, unknown>);
  }
  return refuse(400, `${what} is not a JSON object`, 'Send {"sender": "…", "text": "…"}.');
}

function checked(value: Record<string, unknown>): Read<Words> {
  const { sender, text, thread = null } = value;
  const unknown = Object.keys(value).find((it) => !FIELDS.includes(it));
  if (unknown !== undefined) {
    const next = 'Known: sender, text, thread. Files come as parts of a form.';
    return refuse(400, 'there is a field that is not known here', next);
  }
  if (typeof sender !== 'string' || sender.trim() === '' || sender.length > SENDER_CHARS || /\p{Cc}/u.test(sender)) {
    return refuse(400, 'sender is not who it comes from', `Name them in 1 to ${SENDER_CHARS} characters of one line.`);
  }
  if (typeof text !== 'string') return refuse(400, 'text is missing', 'Send {"sender": "…", "text": "…"}.');
  if (thread !== null && (typeof thread !== 'string' || thread === '' || /\p{Cc}/u.test(thread))) {
    return refuse(400, 'thread is not a name', 'Name it in one line, or leave it out.');
  }
  return { ok: true, value: { sender: sender.toWellFormed(), text: text.toWellFormed(), thread } };
}

/** Null as soon as it is too long, or when it was cut off: nobody reads the answer then. */
function textOf(incoming: IncomingMessage): Promise<string | null> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= BODY_BYTES) chunks.push(chunk);
      else resolve(null);
    });
    incoming.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    incoming.on('close', () => resolve(null));
    incoming.on('error', () => resolve(null));
  });
}
