/**
 * UUIDv7 (RFC 9562 §6.2, method 1): ids of one host grow, also within one millisecond and when the clock steps back, so
 * that sorting by id is sorting by the order in which things were accepted.
 */
import { randomBytes } from 'node:crypto';

export type Ids = () => string;

/** `before`: the last id of a host before, if there is one: the clock may have been set back since. */
export function makeIds(
  nowMs: () => number,
  random: (bytes: number) => Buffer = pooled(randomBytes),
  before: string | null = null,
): Ids {
  let lastMs = before === null ? 0 : Date.parse(timeOfId(before));
  let counter = before === null ? 0 : 0xfff;
  return () => {
    const now = nowMs();
    if (now > lastMs) {
      lastMs = now;
      counter = random(2).readUInt16BE() & 0x7ff;
    } else {
      counter += 1;
      if (counter > 0xfff) {
        lastMs += 1;
        counter = 0;
      }
    }
    const bytes = Buffer.alloc(16);
    bytes.writeUIntBE(lastMs, 0, 6);
    bytes.writeUInt16BE(0x7000 | counter, 6);
    random(8).copy(bytes, 8);
    bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
    const hex = bytes.toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  };
}

const POOL_BYTES = 4096;

/** Asking the system costs the same for few bytes and for many. */
function pooled(ask: (bytes: number) => Buffer): (bytes: number) => Buffer {
  let pool: Buffer = Buffer.alloc(0);
  return (bytes) => {
    if (pool.length < bytes) pool = ask(POOL_BYTES);
    const taken = pool.subarray(0, bytes);
    pool = pool.subarray(bytes);
    return taken;
  };
}

/** When an id was made. */
export const timeOfId = (id: string): string =>
  new Date(Number.parseInt(id.replace('-', '').slice(0, 12), 16)).toISOString();

/** Below every id of that millisecond and later, above every id from before. */
export function firstIdAt(ms: number): string {
  const hex = Math.max(0, ms).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}
