/** A reply as far as it is known while it is written, put together from its newest pieces. */
import type { Said } from '@halfdoor/protocol/host';
import type { Address } from '@halfdoor/protocol/message';

type Chat = Pick<Address, 'channel' | 'chat'> | null;

/** An agent that makes up names makes the host ask again, and costs no memory. */
const NAMES = 16;
const KEPT_CHARS = 16 * 1024;

export class Written {
  #reply = '';
  /** Where `#text` begins in the whole. */
  #at = 0;
  #text = '';
  readonly #places = new Map<string, Promise<Chat>>();

  /** What is known of the reply that this is a piece of: all of it, or its end if a piece before was missed. */
  take(turn: string, { to, reply, at, text }: Said): string {
    const key = JSON.stringify([turn, to, reply]);
    const end = this.#at + this.#text.length;
    const follows = key === this.#reply && at >= this.#at && at <= end;
    this.#text = follows ? this.#text.slice(0, at - this.#at) + text : text;
    if (!follows) this.#at = at;
    this.#reply = key;
    const over = this.#text.length - KEPT_CHARS;
    if (over > 0) {
      this.#text = this.#text.slice(over);
      this.#at += over;
    }
    return this.#text;
  }

  /** Asked once for each name of this turn. */
  placeOf(name: string, ask: () => Promise<Chat>): Promise<Chat> {
    const known = this.#places.get(name) ?? ask();
    if (this.#places.size >= NAMES) this.#places.clear();
    this.#places.set(name, known);
    return known;
  }
}
