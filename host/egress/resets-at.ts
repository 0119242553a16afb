/**
 * When a model endpoint that refused will take requests again, as its headers say: RFC 9110 "Retry-After"; Anthropic's
 * `anthropic-ratelimit-*` (docs.anthropic.com, "Rate limits"); OpenAI's `x-ratelimit-*` (platform.openai.com, "Rate limits").
 */
import type { IncomingHttpHeaders } from 'node:http';

const ANTHROPIC = ['requests', 'tokens', 'input-tokens', 'output-tokens'];
const OPENAI = ['requests', 'tokens'];

/** Null when nothing is said. The latest of what is: earlier than that it would be refused again. */
export function resetsAt(headers: IncomingHttpHeaders, now: Date): Date | null {
  const said = [
    ...[afterMs(headers['retry-after-ms']), afterSeconds(headers['retry-after'])].map((ms) => later(now, ms)),
    dateOf(headers['retry-after']),
    epochOf(headers['anthropic-ratelimit-unified-reset']),
    ...spent(headers, 'anthropic-ratelimit-', ANTHROPIC, '-reset').map(dateOf),
    ...spent(headers, 'x-ratelimit-reset-', OPENAI, '').map((text) => later(now, durationMs(text))),
  ].flatMap((at) => (at === null || Number.isNaN(at.getTime()) ? [] : [at.getTime()]));
  return said.length === 0 ? null : new Date(Math.max(...said));
}

/** Of each budget that has nothing left, what its reset says; the others reset at times that do not matter. */
function spent(headers: IncomingHttpHeaders, before: string, budgets: readonly string[], after: string) {
  return budgets.flatMap((budget) => {
    const left = headers[after === '' ? `x-ratelimit-remaining-${budget}` : `${before}${budget}-remaining`];
    const reset = headers[`${before}${budget}${after}`];
    return left === '0' && reset !== undefined ? [reset] : [];
  });
}

type Header = string | string[] | undefined;
const text = (header: Header): string => (typeof header === 'string' ? header.trim() : '');
const later = (now: Date, ms: number | null): Date | null => (ms === null ? null : new Date(now.getTime() + ms));

const afterMs = (header: Header): number | null => (/^\d{1,12}$/.test(text(header)) ? Number(text(header)) : null);
const afterSeconds = (header: Header): number | null =>
  /^\d{1,9}(\.\d+)?$/.test(text(header)) ? Number(text(header)) * 1000 : null;

/** An HTTP date or an RFC 3339 time; a bare number is neither. */
const dateOf = (header: Header): Date | null => (/[:]/.test(text(header)) ? new Date(text(header)) : null);
const epochOf = (header: Header): Date | null =>
  /^\d{9,10}$/.test(text(header)) ? new Date(Number(text(header)) * 1000) : null;

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `1h2m3.5s`, `20ms`; null when it is none. */
function durationMs(header: Header): number | null {
  const said = text(header);
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(said)) return null;
  return [...said.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)].reduce(
    (sum, [, n = '0', unit = 's']) => sum + Number(n) * (UNIT_MS[unit] ?? 0),
    0,
  );
}
