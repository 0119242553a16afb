/**
 * The first message of TLS, read before any of it is passed on: the name in it must be the host that was asked for. It
 * may come in pieces, of TCP and of TLS (RFC 8446 §5.1); nothing is decided before it is whole.
 */
import { LIMITS } from '@halfdoor/protocol/limits';

export type HelloFault = 'not-tls' | 'no-name' | 'other-name' | 'hidden-name' | 'too-large';
export type Hello = { state: 'more' } | { state: 'passed' } | { state: 'refused'; why: HelloFault };

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const RECORD_HEAD = 5;
const RECORD_BYTES = 2 ** 14;
/** Thousands would cost more to read than the tunnel is worth. */
const RECORDS = 64;
const MESSAGE_HEAD = 4;
/** RFC 6066 §3. */
const SERVER_NAME = 0;
const HOST_NAME = 0;
/**
 * Encrypted ClientHello (RFC 9849) and its first draft: a name within that only the server can read. Whoever runs servers
 * for many serves that one, whatever stands outside. Browsers that send an empty one must leave it away.
 */
const HIDING = [0xfe0d, 0xffce];

const refused = (why: HelloFault): Hello => ({ state: 'refused', why });

/** `bytes`: all that the client has sent so far. `host` in its normal form. */
export function readHello(bytes: Buffer, host: string): Hello {
  const read = gather(bytes);
  if ('state' in read) return read;
  try {
    return judge(new Cursor(read.message), host);
  } catch (error) {
    if (error instanceof Malformed) return refused('not-tls');
    throw error;
  }
}

/** The whole message out of its records; as much as is there decides what can be decided. */
function gather(bytes: Buffer): Hello | { message: Buffer } {
  const parts: Buffer[] = [];
  let gathered = 0;
  let end: number | null = null;
  for (let at = 0; at < bytes.length;) {
    if (bytes[at] !== HANDSHAKE || (bytes[at + 1] ?? 3) !== 3) return refused('not-tls');
    if (bytes.length < at + RECORD_HEAD) return { state: 'more' };
    const length = bytes.readUInt16BE(at + 3);
    if (length === 0 || length > RECORD_BYTES || parts.length === RECORDS) return refused('not-tls');
    at += RECORD_HEAD;
    const part = bytes.subarray(at, at + length);
    parts.push(part);
    gathered += part.length;
    at += length;
    if (parts[0]?.[0] !== undefined && parts[0][0] !== CLIENT_HELLO) return refused('not-tls');
    if (gathered < MESSAGE_HEAD) continue;
    end ??= MESSAGE_HEAD + Buffer.concat(parts).readUIntBE(1, 3);
    if (end - MESSAGE_HEAD > LIMITS.helloBytes) return refused('too-large');
    // What follows it is for the server: it may already be encrypted.
    if (gathered >= end) return { message: Buffer.concat(parts).subarray(MESSAGE_HEAD, end) };
  }
  return { state: 'more' };
}

/** RFC 8446 §4.1.2. Throws `Malformed`. */
function judge(body: Cursor, host: string): Hello {
  body.skip(2 + 32);
  body.vector(1);
  body.vector(2);
  body.vector(1);
  if (body.over) return refused('no-name');
  const extensions = body.vector(2);
  if (!body.over) throw new Malformed();
  let name: string | null = null;
  let hides = false;
  while (!extensions.over) {
    const type = extensions.number(2);
    const data = extensions.vector(2);
    hides ||= HIDING.includes(type);
    if (type !== SERVER_NAME) continue;
    if (name !== null) throw new Malformed();
    name = serverName(data);
  }
  if (name === null) return refused('no-name');
  if (name.toLowerCase() !== host) return refused('other-name');
  return hides ? refused('hidden-name') : { state: 'passed' };
}

/** Exactly one host name: two would be read as one by some and as the other by others. */
function serverName(data: Cursor): string {
  const list = data.vector(2);
  if (list.number(1) !== HOST_NAME) throw new Malformed();
  const name = list.vector(2);
  if (!list.over || !data.over) throw new Malformed();
  return name.text();
}

class Malformed extends Error {}

class Cursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get over(): boolean {
    return this.#at === this.#bytes.length;
  }

  skip(bytes: number): Buffer {
    const end = this.#at + bytes;
    if (end > this.#bytes.length) throw new Malformed();
    const skipped = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return skipped;
  }

  number(bytes: 1 | 2): number {
    return this.skip(bytes).readUIntBE(0, bytes);
  }

  /** What stands behind a length of this many bytes. */
  vector(bytes: 1 | 2): Cursor {
    return new Cursor(this.skip(this.number(bytes)));
  }

  text(): string {
    return this.#bytes.toString('latin1');
  }
}
