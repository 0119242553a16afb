/** Decisions about runs that died, without effects. */
import { LIMITS } from '@halfdoor/protocol/limits';
import type { Heartbeat } from '@halfdoor/protocol/host';
import type { SandboxExit } from '../sandboxes/sandbox.ts';
import type { Ending } from './after-run.ts';
import { isExcess, type Excess } from './excess.ts';

/** Why the host ends a run. The first eight are its own choice, or a person's; the others count against what was worked on. */
export type StopReason =
  | 'idle'
  | 'evicted'
  | 'stopped'
  | 'renewed'
  | 'revoked'
  | 'shutdown'
  | 'ended'
  | 'parked'
  | 'lifeless'
  | 'unready'
  | 'unheeded'
  | 'silent'
  | 'locked'
  | 'hostile-file'
  | 'too-large'
  | Excess;

export const isBlameless = (reason: StopReason): boolean =>
  ['idle', 'evicted', 'stopped', 'renewed', 'revoked', 'shutdown', 'ended', 'parked'].includes(reason);

/** Whether the runner may finish what it is writing: not when it could go on writing where it may not any more. */
export const isGentle = (reason: StopReason): boolean => isBlameless(reason) && reason !== 'revoked';

/** What a run's end means for the messages that were open. */
export function endingOf(
  exit: SandboxExit,
  stopFor: StopReason | null,
  heartbeat: Heartbeat | null,
  run: number,
  open: ReadonlySet<string>,
): Ending {
  const ending = stopFor ?? (exit.signal ? `signal ${exit.signal}` : `exit ${exit.code}`);
  if (stopFor === 'hostile-file' || stopFor === 'too-large') {
    return { ending, victims: [...open], reason: ending, hopeless: true };
  }
  if (stopFor !== null && isBlameless(stopFor)) return { ending, victims: [], reason: ending, hopeless: false };
  const reason = isExcess(ending) ? ending : `died: ${ending}`;
  return { ending, victims: victims(heartbeat, run, open), reason, hopeless: false };
}

/**
 * Which open messages a death counts against: those the dead run said it was working on, also when all of them are
 * settled by now; when it said nothing, all that would have started it. A heartbeat of another run says nothing.
 */
export function victims(heartbeat: Heartbeat | null, run: number, open: ReadonlySet<string>): string[] {
  const claims = heartbeat?.run === run ? heartbeat.claims : [];
  return claims.length > 0 ? claims.filter((id) => open.has(id)) : [...open];
}

/** Whether a message that has now been tried `tries` times is given up. */
export const isGivenUp = (tries: number): boolean => tries >= LIMITS.messageTries;

/** How long to wait before the next run after `deaths` deaths in a row, in milliseconds: the first is replaced at once. */
export function restartDelayMs(deaths: number): number {
  if (deaths <= 1) return 0;
  return Math.min(250 * 4 ** (deaths - 2), 5_000);
}

/** Whether a run shows no sign of life: its beat has stood still through a minute of looking. */
export const isLifeless = (silentMs: number): boolean => silentMs > LIMITS.aliveMs;

/** Whether a run goes on with what a person has told it to stop. */
export const isUnheeded = (waitedMs: number): boolean => waitedMs > LIMITS.stopGraceMs;

/** How long to wait before looking again without a ring, in milliseconds. */
export const pollDelayMs = (busy: boolean): number => (busy ? LIMITS.bellPollMs : LIMITS.bellPollIdleMs);
