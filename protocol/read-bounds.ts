/** What SQLite may do for whoever only reads a session file: bounds on every size, and a list of what may be named. */
import { constants } from 'node:sqlite';
import { LIMITS } from './limits.ts';

/** No value read may be longer: twice the largest row that a writer of ours makes. */
export const READ_BYTES = 2 * LIMITS.rowBytes;

/**
 * https://sqlite.org/c3ref/c_limit_attached.html. Each is some times what our schemas and statements need, and far below
 * what SQLite bears: whoever wrote the file chose what is parsed when it is opened.
 */
export const READ_LIMITS = {
  length: READ_BYTES,
  sqlLength: 8 * 1024,
  column: 32,
  exprDepth: 32,
  compoundSelect: 4,
  vdbeOp: 4_000,
  functionArg: 8,
  attach: 0,
  likePatternLength: 64,
  variableNumber: 16,
  triggerDepth: 0,
} as const;

/** Columns by the table they stand in. */
export type Readable = Readonly<Record<string, readonly string[]>>;

const SCHEMA_COLUMNS = ['type', 'name', 'tbl_name', 'sql'];

/**
 * Lets a statement be made only of these columns, of the schema's own table, of transactions, and of asking for
 * `user_version`. Everything else is denied when the statement is made, before anything of it runs: functions, recursion,
 * attaching, settings, writes, and whatever is reached through a view or trigger. https://sqlite.org/c3ref/set_authorizer.html
 */
export function onlyReading(readable: Readable): (...asked: [code: number, ...(string | null)[]]) => number {
  const { SQLITE_OK, SQLITE_DENY, SQLITE_SELECT, SQLITE_TRANSACTION, SQLITE_READ, SQLITE_PRAGMA } = constants;
  const columns = new Map(Object.entries({ ...readable, sqlite_master: SCHEMA_COLUMNS }));
  const isAllowed = (code: number, first: string | null, second: string | null, through: string | null): boolean => {
    if (through !== null) return false;
    if (code === SQLITE_SELECT || code === SQLITE_TRANSACTION) return true;
    if (code === SQLITE_READ) return columns.get(first ?? '')?.includes(second ?? '') ?? false;
    return code === SQLITE_PRAGMA && first === 'user_version' && second === null;
  };
  return (code, first = null, second = null, _database = null, through = null) =>
    isAllowed(code, first, second, through) ? SQLITE_OK : SQLITE_DENY;
}
