/** A file in out/files/ of a session, piece by piece through the reader process. */
import { shownName } from '@halfdoor/protocol/file';
import { LIMITS } from '@halfdoor/protocol/limits';
import type { OutboundReader, PieceResult } from '../outbound/reader.ts';

/** Why a file is not sent, in words for the agent. */
export class NotSent extends Error {
  constructor(name: string, why: string) {
    super(`file ${JSON.stringify(shownName(name))} was not taken: ${why}`);
    this.name = 'NotSent';
  }
}

/** A reader that is replaced meanwhile, or a machine under load. */
const TRIES = 5;

/**
 * Throws `NotSent`, and so do the pieces; anything else when the reader could not be asked, which says nothing of the
 * file. Together they are `size` bytes, all of one moment.
 */
export async function openOut(
  reader: OutboundReader,
  session: string,
  name: string,
): Promise<{ size: number; pieces: AsyncIterable<Uint8Array> }> {
  const first = await piece(reader, session, name, 0, null);
  const { size, seen } = first;
  if (size > LIMITS.outboundFileBytes) throw new NotSent(name, `it has ${size} bytes`);
  async function* pieces(): AsyncGenerator<Uint8Array> {
    let { bytes } = first;
    for (let at = 0; at < size;) {
      if (bytes.length === 0 || at + bytes.length > size) throw new NotSent(name, 'it changed while it was read');
      yield bytes;
      at += bytes.length;
      if (at < size) ({ bytes } = await piece(reader, session, name, at, seen));
    }
  }
  return { size, pieces: pieces() };
}

async function piece(reader: OutboundReader, session: string, name: string, offset: number, seen: string | null) {
  let result: PieceResult = { ok: false, failure: 'timeout', detail: '' };
  for (let n = 0; n < TRIES && !result.ok && result.failure === 'timeout'; n++) {
    result = await reader.piece(session, name, { offset, seen });
  }
  if (!result.ok && result.failure === 'timeout') throw new Error(`the reader gave no answer: ${result.detail}`);
  if (!result.ok) throw new NotSent(name, result.detail);
  return result;
}
