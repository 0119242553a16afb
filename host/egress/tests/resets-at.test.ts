import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resetsAt } from '../resets-at.ts';

const NOW = new Date('2026-01-01T12:00:00.000Z');
const iso = (headers: Record<string, string>): string | null => resetsAt(headers, NOW)?.toISOString() ?? null;

test('what the headers of an endpoint that refused say of the time', () => {
  const cases: [Record<string, string>, string | null][] = [
    [{}, null],
    [{ 'retry-after': '90' }, '2026-01-01T12:01:30.000Z'],
    [{ 'retry-after-ms': '1500', 'retry-after': '1' }, '2026-01-01T12:00:01.500Z'],
    [{ 'retry-after': 'Thu, 01 Jan 2026 13:00:00 GMT' }, '2026-01-01T13:00:00.000Z'],
    [{ 'retry-after': 'soon' }, null],
    [{ 'retry-after': '-5' }, null],
    [
      {
        'anthropic-ratelimit-requests-remaining': '0',
        'anthropic-ratelimit-requests-reset': '2026-01-01T12:30:00Z',
        'anthropic-ratelimit-tokens-remaining': '8000',
        'anthropic-ratelimit-tokens-reset': '2026-01-01T18:00:00Z',
      },
      '2026-01-01T12:30:00.000Z',
    ],
    [{ 'anthropic-ratelimit-unified-reset': '1767276000' }, '2026-01-01T14:00:00.000Z'],
    [{ 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '6m0s' }, '2026-01-01T12:06:00.000Z'],
    [{ 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '1h2m3.5s' }, '2026-01-01T13:02:03.500Z'],
    [{ 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': 'never' }, null],
    [{ 'x-ratelimit-remaining-requests': '7', 'x-ratelimit-reset-requests': '8h' }, null],
  ];
  for (const [headers, at] of cases) assert.equal(iso(headers), at, JSON.stringify(headers));
});
