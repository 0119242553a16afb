/** What a call that failed means, for the channel and for the person. Pure. */
import type { Failed } from '../channel.ts';
import type { NotCalled } from './call.ts';

/** Whether it is the token that Telegram does not take. A malformed one is answered as an unknown path. */
export const isUnauthorized = (it: NotCalled): boolean => it.by === 'telegram' && (it.code === 401 || it.code === 404);

export type Trouble = { state: 'waiting' | 'broken'; text: string; next: string };

/** Why nothing can be taken in, and what to do. A channel that needs a person goes on trying all the same. */
export function troubleOf(it: NotCalled, channel: string, tokenName: string): Trouble {
  if (it.by === 'network') {
    return { state: 'waiting', text: `Telegram cannot be reached: ${it.reason}`, next: 'It is tried again by itself.' };
  }
  if (isUnauthorized(it)) {
    const next = `Take a token from @BotFather: ./halfdoor secrets set ${tokenName}. It holds within a minute.`;
    return { state: 'broken', text: 'Telegram does not take the token of this bot', next };
  }
  if (it.code === 409 && /webhook/.test(it.said)) {
    const again = `./halfdoor channels remove ${channel}, then add it again: it asks whether to take the webhook away.`;
    return { state: 'broken', text: 'a webhook is set for this bot, so that updates go there', next: again };
  }
  if (it.code === 409) {
    const next = 'Stop the other program that uses this token, or take a new one from @BotFather.';
    return { state: 'broken', text: 'another program asks for the updates of this bot', next };
  }
  return { state: 'waiting', text: `Telegram said: ${it.said}`, next: 'It is tried again by itself.' };
}

const PERMANENT: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/blocked by the user/, 'the person has blocked the bot in Telegram'],
  [/user is deactivated/, 'this Telegram account does not exist any more'],
  [/initiate conversation/, 'the person has not started the bot in Telegram'],
  [/kicked|not a member/, 'the bot is not in this Telegram chat any more'],
  [/not enough rights|have no rights|CHAT_WRITE_FORBIDDEN/, 'the bot may not write in this Telegram chat'],
  [/chat not found/, 'Telegram knows no such chat, or the person has not started the bot'],
  [/message thread not found|TOPIC_CLOSED|TOPIC_DELETED/, 'the topic in Telegram is gone or closed'],
  [
    /message to edit not found|message can't be edited/,
    'the message in Telegram is gone or can not be changed any more',
  ],
  [/message can't be deleted/, 'Telegram lets nobody delete this message any more'],
  [/too large|too big|Too Large/, 'the file is larger than a bot may send'],
];

/** What became of something that was to be sent. Not for a token that is refused: then nobody can be reached. */
export function failedBy(it: NotCalled): Failed {
  const failed = { status: 'failed' as const, transient: true, maybeSeen: false, retryAfterMs: null };
  if (it.by === 'network') return { ...failed, reason: `Telegram: ${it.reason}`, maybeSeen: it.maybeSeen };
  if (it.code === 429) return { ...failed, reason: 'Telegram asks to be left alone', retryAfterMs: it.retryAfterMs };
  // It failed inside: nobody says how far it had come.
  if (it.code >= 500) return { ...failed, reason: `Telegram failed: ${it.said}`, maybeSeen: true };
  const moved = it.movedTo === null ? null : `this Telegram group has become another chat, ${it.movedTo}`;
  const known = PERMANENT.find(([pattern]) => pattern.test(it.said))?.[1];
  return { ...failed, transient: false, reason: moved ?? known ?? `Telegram said: ${it.said}` };
}
