/** What a refusal of SQLite means for the central database. Codes: https://sqlite.org/rescode.html */

const READONLY = 8;
const CORRUPT = 11;
const FULL = 13;
const CANNOT_OPEN = 14;
const NOT_A_DATABASE = 26;
const PRIMARY = 0xff;

/** The primary code, looked for in the causes too; null for an error that is none of SQLite's. */
function codeOf(error: unknown): number | null {
  if (!(error instanceof Error)) return null;
  const { errcode, cause } = error as { errcode?: number; cause?: unknown };
  return errcode === undefined ? codeOf(cause) : errcode & PRIMARY;
}

/** The file is not, or no longer, a sound database. */
export const isDamage = (error: unknown): boolean => [CORRUPT, NOT_A_DATABASE].includes(codeOf(error) ?? 0);

export const isFull = (error: unknown): boolean => codeOf(error) === FULL;

/** The file or its folder cannot be written by this user. */
export const isShut = (error: unknown): boolean => [READONLY, CANNOT_OPEN].includes(codeOf(error) ?? 0);
