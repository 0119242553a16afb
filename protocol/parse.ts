/** One value of a row at a time, from whatever stands there to what it must be. Every refusal is `bad-row`. */
import { Fault } from './fault.ts';
import { LIMITS } from './limits.ts';

export type Row = Record<string, unknown>;

export const bad = (what: string): never => {
  throw new Fault('bad-row', `bad row: ${what}`, 'The row is ignored; the rest of the session goes on.');
};

export function text(value: unknown, what: string, maxBytes = LIMITS.textOutBytes): string {
  if (typeof value !== 'string') return bad(`${what} is not text`);
  if (value.length > maxBytes || Buffer.byteLength(value) > maxBytes) return bad(`${what} is over ${maxBytes} bytes`);
  return value;
}

export const short = (value: unknown, what: string): string => text(value, what, 512);
export const shortOrNull = (value: unknown, what: string): string | null => (value == null ? null : short(value, what));

export function wholeNumber(value: unknown, what: string): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
    ? value
    : bad(`${what} is not a whole number`);
}

export const flag = (value: unknown, what: string): boolean =>
  value === 0 || value === 1 ? value === 1 : bad(`${what} is neither 0 nor 1`);

const ISO_UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;

/** ISO-8601, UTC, with `Z`. */
export function time(value: unknown, what: string): string {
  const it = short(value, what);
  return ISO_UTC.test(it) && !Number.isNaN(Date.parse(it)) ? it : bad(`${what} is not a time in UTC`);
}

export function json(value: unknown, what: string): unknown {
  const source = text(value, what, LIMITS.rowBytes);
  let parsed: unknown;
  try {
    parsed = JSON.parse(source);
  } catch {
    return bad(`${what} is not JSON`);
  }
  return plain(parsed, what);
}

/**
 * Refuses what would hurt whoever handles the value later: nesting that overflows the stack of a recursive function,
 * and the key that changes an object's prototype when it is assigned.
 */
function plain(value: unknown, what: string): unknown {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > LIMITS.jsonDepth) return bad(`${what} is nested over ${LIMITS.jsonDepth} deep`);
    const next: unknown[] = [];
    for (const it of level) {
      if (typeof it !== 'object' || it === null) continue;
      if (Object.hasOwn(it, '__proto__')) return bad(`${what} has a key __proto__`);
      for (const inner of Object.values(it)) if (typeof inner === 'object' && inner !== null) next.push(inner);
    }
    level = next;
  }
  return value;
}

export function record(value: unknown, what: string): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : bad(`${what} is not an object`);
}

export function oneOf<T extends string>(value: unknown, all: readonly T[], what: string): T {
  return all.includes(value as T) ? (value as T) : bad(`${what} is none of ${all.join(', ')}`);
}
