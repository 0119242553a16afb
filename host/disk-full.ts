/** Whether something failed because there is no room on the disk, whoever says so: the system, SQLite, or a session file. */
import { isFault } from '@halfdoor/protocol/fault';

/** https://sqlite.org/rescode.html#full */
const SQLITE_FULL = 13;

export function isDiskFull(error: unknown): boolean {
  const { code, errcode = 0 } = (error ?? {}) as { code?: unknown; errcode?: number };
  return code === 'ENOSPC' || code === 'EDQUOT' || errcode % 256 === SQLITE_FULL || isFault(error, 'disk');
}
