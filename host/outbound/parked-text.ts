/** What a person is told whose message waits for the model's quota. */

import { LIMITS } from '@halfdoor/protocol/limits';

/** A time as a clock on the wall there shows it; with its date when that is another day than `now`. */
export function clockTime(at: Date, now: Date): string {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const day = (it: Date): string => it.toLocaleDateString('sv-SE', { timeZone });
  const time = at.toLocaleTimeString('sv-SE', { timeZone, hour: '2-digit', minute: '2-digit' });
  return day(at) === day(now) ? `${time} (${timeZone})` : `${day(at)} ${time} (${timeZone})`;
}

/** `said`: the provider named the time. */
export function parkedText(it: { agent: string; until: Date; now: Date; said: boolean; count: number }): string {
  const at = clockTime(it.until, it.now);
  const waits = it.count === 1 ? 'Your message waits and is' : `Your ${it.count} messages wait and are`;
  const other = `To use another model at once: ./halfdoor agents update ${it.agent} --model MODEL.`;
  const back = `/stop takes ${it.count === 1 ? 'it' : 'them'} back.`;
  if (it.said) return `The model's quota is used up until ${at}. ${waits} answered then. ${back} ${other}`;
  const why = `The model's quota is used up, and it does not say until when.`;
  return `${why} ${waits} tried again at ${at} and every ${LIMITS.parkUnsaidMs / 60_000} minutes after that. ${back} ${other}`;
}
