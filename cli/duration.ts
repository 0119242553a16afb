import { Failure } from './failure.ts';

const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const LONGEST_MS = 24 * 3_600_000;

/** `60s`, `500ms`, `2m`, `1h`; a bare number is seconds. Milliseconds, at most a day. Throws `Failure` (wrong use). */
export function parseDuration(text: string): number {
  const [, amount, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  const ms = Math.round(Number(amount) * (UNITS[unit] ?? Number.NaN));
  if (ms >= 0 && ms <= LONGEST_MS) return ms;
  throw new Failure(`${JSON.stringify(text)} is not a time`, 'Give one like 500ms, 60s, 2m or 1h.', 2);
}
