/** What is said to a program whose message is not taken. */
import type { ErrorAnswer } from './types.ts';

export type Read<T> = { ok: true; value: T } | { ok: false; status: 400 | 413 | 415 | 503; refusal: ErrorAnswer };

export const refuse = (status: 400 | 413 | 415, error: string, next: string): Read<never> => ({
  ok: false,
  status,
  refusal: { error, next },
});

/** Nothing is wrong with the message. */
export const notNow = (error: string): Read<never> => ({
  ok: false,
  status: 503,
  refusal: { error, next: 'Send it again a little later, with the same Idempotency-Key.' },
});
