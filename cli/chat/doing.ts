/** What an agent is at, in words for the person who waits. */
import type { ChatEvent } from '../../host/api/contract.ts';

/** `sinceMs`: when it began; null where the time says nothing. */
export type Doing = { words: string; sinceMs: number | null };

type Progress = Extract<ChatEvent, { type: 'progress' }>;

/** Accepted by the host, and nothing more is known. */
export const SENT = 'sent';

/** Null when it is at nothing. A time that cannot be is taken as now: it comes from inside the sandbox. */
export function doingOf({ state, detail, since }: Progress, nowMs: number): Doing | null {
  if (state === 'idle') return null;
  const began = Date.parse(since);
  const sinceMs = Number.isNaN(began) || began > nowMs ? nowMs : began;
  if (state === 'writing') return { words: 'writing', sinceMs: null };
  // One line, whatever the sandbox has made of it: it stands among lines of ours.
  return { words: wordsFor(state, detail?.replaceAll(/\s+/g, ' ') ?? null), sinceMs };
}

function wordsFor(state: Exclude<Progress['state'], 'idle' | 'writing'>, detail: string | null): string {
  switch (state) {
    case 'queued':
      return `waiting for a free place${detail === null ? '' : `, number ${detail} in the queue`}`;
    case 'parked':
      return `waiting for the model's quota${detail === null ? '' : ` until ${clockOf(detail)}`}`;
    case 'starting':
      return 'starting the sandbox';
    case 'waiting':
      return 'waiting for the model';
    case 'thinking':
      return 'thinking';
    case 'tool':
      return `running ${detail ?? 'a tool'}`;
    case 'retrying':
      return `trying again${detail === null ? '' : `: ${detail}`}`;
  }
}

/** As a clock on the wall here shows it; text that is no time as it stands. */
function clockOf(iso: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  return at.toLocaleTimeString('sv-SE', { hour: '2-digit', minute: '2-digit' });
}

const MINUTE_S = 60;

/** With the time it has taken so far. */
export function timed({ words, sinceMs }: Doing, nowMs: number): string {
  if (sinceMs === null) return words;
  const seconds = Math.max(0, Math.floor((nowMs - sinceMs) / 1000));
  const minutes = Math.floor(seconds / MINUTE_S);
  return minutes < 2 ? `${words}, ${seconds} s` : `${words}, ${minutes} min ${seconds % MINUTE_S} s`;
}
