/** What a channel hands in, checked before anything is written. */
import { LIMITS } from '@halfdoor/protocol/limits';
import type { Incoming } from '../channels/channel-host.ts';
import { checkNumber } from '../files/inbox.ts';
import { Refusal } from '../refusal.ts';

const MAX_ID = 200;
/** As wide as the columns of messages_in. */
const MAX_NAME_BYTES = 512;

/** Returns the message as it will be stored. Throws `Refusal`. */
export function normalise(incoming: Incoming): Incoming {
  if (incoming.platformId.length === 0 || incoming.platformId.length > MAX_ID) {
    throw new Refusal('bad-input', `a message id has 1 to ${MAX_ID} characters`, 'Leave the id out to get one made.');
  }
  for (const part of [
    incoming.sender,
    incoming.address.channel,
    incoming.address.chat,
    incoming.address.thread ?? '',
  ]) {
    if (Buffer.byteLength(part) > MAX_NAME_BYTES) {
      throw new Refusal('bad-input', `a sender, chat or thread has at most ${MAX_NAME_BYTES} bytes`, 'Shorten it.');
    }
  }
  const text = incoming.text.toWellFormed();
  const { files = [] } = incoming;
  checkNumber(files);
  if (text.trim() === '' && files.length === 0)
    throw new Refusal('bad-input', 'the message is empty', 'Write some text.');
  const bytes = Buffer.byteLength(text);
  if (bytes > LIMITS.textInBytes) {
    throw new Refusal(
      'too-large',
      `the message has ${bytes} bytes; at most ${LIMITS.textInBytes} are taken`,
      'Send it in parts, or put it into a file.',
    );
  }
  return { ...incoming, text };
}
