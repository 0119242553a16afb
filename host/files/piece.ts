/** A file an agent sends, read piece by piece by the reader process; nothing is kept open between two pieces. */
import { closeSync, readSync, type BigIntStats } from 'node:fs';
import { faultOfName } from '@halfdoor/protocol/file';
import { LIMITS } from '@halfdoor/protocol/limits';
import type { PieceAt, PieceResult } from '../outbound/reader.ts';
import { NotOpened, openPlain } from './open.ts';

/** As the reader says it: bytes in base64. */
export type SaidPiece = Exclude<PieceResult, { ok: true }> | { ok: true; size: number; seen: string; data: string };

/** Never throws. */
export function readPiece(root: string, session: string, name: string, at: PieceAt): SaidPiece {
  try {
    if (faultOfName(name) !== null) throw new NotOpened('refused', 'its name is not one of a file');
    return read(root, session, name, at);
  } catch (error) {
    const failure = error instanceof NotOpened ? error.failure : 'refused';
    return { ok: false, failure, detail: error instanceof Error ? error.message : String(error) };
  }
}

function read(root: string, session: string, name: string, { offset, seen }: PieceAt): SaidPiece {
  const { fd, stat } = openPlain(root, [session, 'files'], name, LIMITS.outboundFileBytes);
  try {
    const now = identity(stat);
    if (seen !== null && seen !== now) throw new NotOpened('refused', 'it changed while it was read');
    const piece = Buffer.alloc(LIMITS.pieceBytes);
    const got = readSync(fd, piece, 0, piece.length, offset);
    return { ok: true, size: Number(stat.size), seen: now, data: piece.toString('base64', 0, got) };
  } finally {
    closeSync(fd);
  }
}

/** Every change of its content changes the last. */
const identity = ({ dev, ino, size, ctimeNs }: BigIntStats): string => [dev, ino, size, ctimeNs].join(':');
