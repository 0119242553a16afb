/** Accept as a channel sees it: an answer for every case, so that no adapter acknowledges what was not taken. */
import type { Incoming, Taken } from '../channels/channel-host.ts';
import { errorText, type Log } from '../log.ts';
import { Refusal } from '../refusal.ts';
import type { Accepted } from './accept.ts';

type DoorDeps = { accept(incoming: Incoming): Promise<Accepted>; log: Log; redact(text: string): string };

/** Never rejects. */
export function makeDoor({ accept, log, redact }: DoorDeps): (incoming: Incoming) => Promise<Taken> {
  return async (incoming) => {
    try {
      return { status: 'taken', ...(await accept(incoming)) };
    } catch (error) {
      if (error instanceof Refusal && error.code !== 'unavailable') {
        const { code, message, next } = error;
        return { status: 'refused', code, reason: redact(message), next: redact(next) };
      }
      log.error('a message was not taken', { channel: incoming.address.channel, error: errorText(error) });
      return { status: 'not-now', reason: redact(errorText(error)) };
    }
  };
}
