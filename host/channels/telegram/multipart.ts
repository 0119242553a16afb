/** A form with one file in it (RFC 7578), read from the disk while it is sent: a file is never held whole in memory. */
import { createReadStream } from 'node:fs';
import type { OutgoingFile } from '../channel.ts';
import type { RawBody } from './call.ts';

/** `boundary` must stand in none of the parts: take an id that was just made. */
export function multipart(
  fields: Readonly<Record<string, string | undefined>>,
  field: string,
  file: OutgoingFile,
  boundary: string,
): RawBody {
  const head = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`],
  );
  const name = quoted(file.name);
  const type = /^[\w.+-]+\/[\w.+-]+$/.test(file.mime) ? file.mime : 'application/octet-stream';
  head.push(
    `--${boundary}\r\ncontent-disposition: form-data; name="${field}"; filename="${name}"\r\ncontent-type: ${type}\r\n\r\n`,
  );
  async function* body(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(head.join(''));
    yield* createReadStream(file.path) as AsyncIterable<Uint8Array>;
    yield Buffer.from(`\r\n--${boundary}--\r\n`);
  }
  return { headers: { 'content-type': `multipart/form-data; boundary=${boundary}` }, body: body() };
}

/** As browsers write it (html.spec.whatwg.org, "multipart/form-data encoding algorithm"). */
const quoted = (name: string): string => name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
