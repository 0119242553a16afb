/**
 * The answer as it is being written, for the person who waits: the raw text of the provider goes in, the newest piece of
 * the message it is in goes to the progress file, at most once in `LIMITS.saidEveryMs`. Lossy: what is sent is the result.
 */
import { LIMITS } from '@halfdoor/protocol/limits';
import type { Said } from '@halfdoor/protocol/runner';
import type { Life } from './life.ts';
import { newestMessage } from './partial.ts';

type Deps = {
  life: Life;
  /** Calls `fn` after `ms`; returns what cancels it. */
  after(ms: number, fn: () => void): () => void;
};

export class Preview {
  readonly #deps: Deps;
  #raw = '';
  /** Messages of the turn that were shown before this answer began. */
  #before = 0;
  #shown = 0;
  #resting = false;
  #stale = false;
  /** What was told last, to tell nothing twice; null before anything was. */
  #told: string | null = null;
  #cancel: () => void = () => {};

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** A turn begins: its messages are counted from 0. */
  turn(): void {
    this.begin();
    this.#before = 0;
  }

  /** An answer begins, or begins anew: what was shown of the one before is over. */
  begin(): void {
    this.#cancel();
    this.#before += this.#shown;
    this.#shown = 0;
    this.#raw = '';
    this.#resting = false;
    this.#stale = false;
    this.#told = null;
  }

  /** More of the answer. Past `LIMITS.streamedChars` nothing more of it is shown. */
  take(text: string): void {
    if (this.#raw.length > LIMITS.streamedChars) return;
    this.#raw += text;
    if (this.#resting) this.#stale = true;
    else this.#show();
  }

  #show(): void {
    this.#stale = false;
    const newest = newestMessage(this.#raw);
    if (newest !== null) this.#shown = newest.reply + 1;
    const told = newest === null ? '' : `${newest.reply} ${newest.text.length}`;
    if (told !== this.#told) {
      this.#deps.life.write(newest && { ...newest, ...tail(newest.text), reply: this.#before + newest.reply });
    }
    this.#told = told;
    this.#resting = true;
    this.#cancel = this.#deps.after(LIMITS.saidEveryMs, () => {
      this.#resting = false;
      if (this.#stale) this.#show();
    });
  }
}

/** The newest part that fits, and where it stands. */
function tail(text: string): Pick<Said, 'at' | 'text'> {
  let at = Math.max(0, text.length - LIMITS.saidBytes);
  while (Buffer.byteLength(text.slice(at)) > LIMITS.saidBytes) at += Math.ceil((text.length - at) / 8);
  const code = text.charCodeAt(at);
  if (code >= 0xdc00 && code < 0xe000) at += 1; // never the second half of a character
  return { at, text: text.slice(at) };
}
