/** Whether a message that comes again brings what it brought the first time. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { fittingName } from '@halfdoor/protocol/file';
import type { Brought, Known, KnownFile } from '../channels/http/types.ts';

/** The bytes are compared last: only then is anything read. */
export async function sameFiles(kept: Known['files'], brought: readonly Brought[]): Promise<boolean> {
  if (kept === null) return true;
  const pairs = kept.map((it, n) => [it, brought[n]] as const);
  if (kept.length !== brought.length || !pairs.every(([it, other]) => isAlike(it, other))) return false;
  for (const [{ path }, other] of pairs) if ((await sha256Of(path)) !== other?.sha256) return false;
  return true;
}

const isAlike = ({ name, bytes }: KnownFile, other: Brought | undefined): boolean =>
  other !== undefined && name === fittingName(other.name) && bytes === other.bytes;

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
