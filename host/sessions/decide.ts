/** Decisions about runs that died, without effects. */
import { LIMITS } from '@halfdoor/protocol/limits';
import type { Heartbeat } from '@halfdoor/protocol/host';

/**
 * Which open messages a death counts against: those the dead run said it was working on; when it said nothing, all
 * that would have started it. A heartbeat of another run says nothing.
 */
export function victims(heartbeat: Heartbeat | null, run: number, open: ReadonlySet<string>): string[] {
  const claims = heartbeat?.run === run ? heartbeat.claims.filter((id) => open.has(id)) : [];
  return claims.length > 0 ? claims : [...open];
}

/** Whether a message that has now been tried `tries` times is given up. */
export const isGivenUp = (tries: number): boolean => tries >= LIMITS.messageTries;

/** How long to wait before the next run after `deaths` deaths in a row, in milliseconds: the first is replaced at once. */
export function restartDelayMs(deaths: number): number {
  if (deaths <= 1) return 0;
  return Math.min(250 * 4 ** (deaths - 2), 5_000);
}

/** Whether a run shows no sign of life: its beat has not changed for a minute of the host's clock. */
export function isLifeless(beatSeenAtMs: number, nowMs: number): boolean {
  return nowMs - beatSeenAtMs > LIMITS.aliveMs;
}

/** How long to wait before looking again without a ring, in milliseconds. */
export const pollDelayMs = (busy: boolean): number => (busy ? LIMITS.bellPollMs : LIMITS.bellPollIdleMs);
