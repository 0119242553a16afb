/**
 * A message with files, as a form (RFC 7578). Each file goes into the spool as it comes, and nothing is read further than
 * it may be long. What is not taken leaves nothing there.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Busboy, type BusboyInstance } from '@fastify/busboy';
import type { ChannelHost } from '../channel-host.ts';
import { notNow, refuse, type Read } from './refuse.ts';
import type { Brought, FileLimits } from './types.ts';

export type Spool = Pick<ChannelHost, 'spool' | 'newId' | 'log'>;
export type Form = { message: string; files: Brought[] };
/** `fieldBytes`: of the field `message`. */
export type FormLimits = FileLimits & { fieldBytes: number };

const MESSAGE = 'message';
const FILE = 'file';
const HEADER_BYTES = 8 * 1024;
const HEADERS = 20;
const NOT_KEPT = 'a file could not be kept';
const HOW = 'Send one field `message` with the JSON, and a part `file` for each file.';

/** Never rejects. The caller drops the files that accept did not take over. */
export async function formIn(host: Spool, incoming: IncomingMessage, limits: FormLimits): Promise<Read<Form>> {
  const parser = parserOf(incoming, limits);
  if (parser === null) return refuse(400, 'the form names no boundary', 'Let your HTTP library set Content-Type.');
  const over = new AbortController();
  const keeping: Promise<Brought | null>[] = [];
  const read = await new Promise<Read<string>>((resolve) => {
    listen(parser, limits, resolve, (part, name, mime) => {
      const kept = keep(host, part, { name, mime }, over.signal);
      keeping.push(kept.catch((error: unknown) => (resolve(notKept(host, error)), null)));
    });
    incoming.on('close', () => incoming.readableEnded || resolve(refuse(400, 'the request was cut off', HOW)));
    incoming.pipe(parser);
  });
  incoming.unpipe(parser);
  // What still comes is read past, so that whoever sends it gets to read the answer.
  incoming.resume();
  if (!read.ok) over.abort();
  // What was broken off is settled, too: nothing is written any more after this.
  const files = (await Promise.all(keeping)).filter((it) => it !== null);
  // The form may be at its end before the disk refuses the last of it.
  if (read.ok && files.length === keeping.length) return { ok: true, value: { message: read.value, files } };
  await dropFiles(files);
  return read.ok ? notNow(NOT_KEPT) : read;
}

/** What is broken off fails, too, but then something else is said already. */
function notKept({ log }: Spool, error: unknown): Read<never> {
  if ((error as { code?: string }).code !== 'ABORT_ERR') log.error(NOT_KEPT, { error: String(error) });
  return notNow(NOT_KEPT);
}

/** Null where the header says no boundary. */
function parserOf({ headers }: IncomingMessage, { files, fileBytes, fieldBytes }: FormLimits): BusboyInstance | null {
  const limits = { files, fileSize: fileBytes, fields: 1, fieldSize: fieldBytes };
  try {
    return new Busboy({
      headers: { ...headers, 'content-type': headers['content-type'] ?? '' },
      limits: { ...limits, headerSize: HEADER_BYTES, headerPairs: HEADERS },
      // A browser gives a name to every part that has a type.
      isPartAFile: (field) => field === FILE,
    });
  } catch {
    return null;
  }
}

/** `settle` with the field `message`, or with the first thing that is wrong; what comes after that has no meaning. */
function listen(
  parser: BusboyInstance,
  { files, fileBytes, fieldBytes }: FormLimits,
  settle: (read: Read<string>) => void,
  take: (part: Readable, name: string, mime: string) => void,
): void {
  let message: string | null = null;
  parser.on('field', (name: string | undefined, value, _nameCut, isCut) => {
    if (name !== MESSAGE) settle(refuse(400, 'the form has a field that is not known here', HOW));
    else if (isCut) settle(refuse(413, `the field message is over ${fieldBytes} bytes`, 'A text has at most 64 KiB.'));
    else message = value;
  });
  parser.on('fieldsLimit', () => settle(refuse(400, 'the form has more than one field', HOW)));
  parser.on('filesLimit', () => settle(refuse(413, `the message brings over ${files} files`, 'Send it in parts.')));
  parser.on('file', (_field, part, name: string | undefined, _encoding, mime) => {
    part.on('error', () => undefined);
    part.on('limit', () => settle(refuse(413, `a file is over ${fileBytes} bytes`, 'Send a smaller one.')));
    take(part, name ?? '', mime);
  });
  parser.on('error', () => settle(refuse(400, 'the form is malformed or does not end', HOW)));
  parser.on('finish', () => {
    settle(message === null ? refuse(400, 'the form has no field `message`', HOW) : { ok: true, value: message });
  });
}

async function keep(
  { spool, newId }: Spool,
  part: Readable,
  said: { name: string; mime: string },
  signal: AbortSignal,
): Promise<Brought> {
  const path = join(spool, newId());
  const hash = createHash('sha256');
  let bytes = 0;
  async function* measured(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const piece of pieces) {
      hash.update(piece);
      bytes += piece.length;
      yield piece;
    }
  }
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600 });
  const closed = new Promise<void>((resolve) => file.on('close', resolve));
  try {
    await pipeline(part, measured, file, { signal });
    return { ...said, path, bytes, sha256: hash.digest('hex') };
  } catch (error) {
    // Until then it may still be made.
    await closed;
    await rm(path, { force: true });
    throw error;
  }
}

/** What accept did not take over. */
export async function dropFiles(files: readonly Brought[]): Promise<void> {
  for (const { path } of files) await rm(path, { force: true });
}
