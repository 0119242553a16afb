/** One person talks to one agent: what was sent, what was said, what is still open. No terminal, no socket. */
import type { ChatEvent, MessageView, Reply } from '../../host/api/contract.ts';
import { Unreachable } from '../api.ts';
import { Failure } from '../failure.ts';
import { withFiles } from '../file-line.ts';
import { doingOf, SENT, type Doing } from './doing.ts';
import type { Partial } from './frame.ts';

export type ConversationDeps = {
  /** Gives the message to the host. Throws `Failure` when it is refused, `Unreachable` when nobody is there. */
  send(text: string, id: string): Promise<MessageView>;
  /** Resolves when the message is settled, or after a while with how it stands. Throws as `send`. */
  settled(id: string): Promise<MessageView>;
  /** Tells the host that these were shown. Throws as `send`. */
  received(ids: string[]): Promise<void>;
  say(text: string): void;
  remark(text: string): void;
  /** Called when what is open or what is done changed. */
  changed(): void;
  pause(): Promise<void>;
  id(): string;
  nowMs(): number;
};

/** Of a longer reply only the newest part is kept: the whole of it comes with the message. */
const PARTIAL_CHARS = 64 * 1024;

type Piece = Extract<ChatEvent, { type: 'partial' }>;

export class Conversation {
  readonly #deps: ConversationDeps;
  readonly #shown = new Set<string>();
  readonly #open = new Set<string>();
  #line: Promise<void> = Promise.resolve();
  #doing: Doing | null = null;
  /** What is known of the reply that is being written, from character `at` on. */
  #piece: Piece | null = null;
  #sentMs = 0;
  #leaving = false;
  failed = false;

  constructor(deps: ConversationDeps) {
    this.#deps = deps;
  }

  /** What the agent does for us right now; null when nothing is open. */
  get doing(): Doing | null {
    return this.#open.size === 0 ? null : (this.#doing ?? { words: SENT, sinceMs: this.#sentMs });
  }

  /** The reply that is being written, as far as it is known. */
  get partial(): Partial | null {
    return this.#piece && { text: this.#piece.text, cut: this.#piece.at > 0 };
  }

  event(event: ChatEvent): void {
    switch (event.type) {
      case 'ready':
        return this.#greet(event.waiting);
      case 'message':
        if (!event.notice) this.#over();
        return this.#show(event, event.notice, event.mayBeDuplicate);
      case 'progress':
        if (event.state !== 'writing') this.#piece = null;
        this.#doing = doingOf(event, this.#deps.nowMs());
        return this.#deps.changed();
      case 'partial':
        this.#piece = joined(this.#piece, event);
        return this.#deps.changed();
      case 'settled':
        return; // asked for one by one: an event can be missed while the host restarts
    }
  }

  /** The whole reply is here: what was shown of it goes. */
  #over(): void {
    this.#piece = null;
    this.#deps.changed();
  }

  #greet(waiting: number): void {
    if (waiting > 0) this.#deps.remark(`${waiting} ${waiting === 1 ? 'reply' : 'replies'} came while nobody was here:`);
  }

  #show(it: Pick<Reply, 'delivery' | 'text' | 'files'>, notice: boolean, mayBeDuplicate: boolean): void {
    const fresh = !this.#shown.has(it.delivery);
    this.#shown.add(it.delivery);
    if (fresh) {
      const text = withFiles(it.text, it.files);
      if (notice) this.#deps.remark(text);
      else this.#deps.say(mayBeDuplicate ? `${text}\n(may be a duplicate)` : text);
    }
    // Again for one shown before too: the host that asks did not hear it. Lost on the way, it asks once more.
    this.#deps.received([it.delivery]).catch((error: unknown) => this.#fail(error));
  }

  /** Sends in the order of the calls. Resolves when the message is settled and everything said to it was shown. */
  async send(text: string): Promise<void> {
    const id = this.#deps.id();
    if (this.#open.size === 0) this.#sentMs = this.#deps.nowMs();
    this.#open.add(id);
    this.#deps.changed();
    try {
      const accepted = this.#line.then(() => this.#insist(() => this.#deps.send(text, id)));
      this.#line = accepted.then(
        () => {},
        () => {},
      );
      const message = (await accepted)?.id;
      if (message !== undefined) await this.#untilSettled(message);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#open.delete(id);
      if (this.#open.size === 0) this.#doing = this.#piece = null;
      this.#deps.changed();
    }
  }

  async #untilSettled(id: string): Promise<void> {
    while (!this.#leaving) {
      const view = await this.#insist(() => this.#deps.settled(id));
      if (!view || view.status === 'accepted') continue;
      for (const reply of view.replies) this.#show(reply, false, false);
      for (const notice of view.notices) this.#show(notice, true, false);
      if (view.status !== 'failed') return;
      this.failed = true;
      if (view.notices.length === 0) this.#deps.remark(`${view.error ?? 'failed'}\n${view.next ?? ''}`.trim());
      return;
    }
  }

  /** Again and again while the host is away; null once we leave. */
  async #insist<T>(ask: () => Promise<T>): Promise<T | null> {
    while (!this.#leaving) {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof Unreachable)) throw error;
        await this.#deps.pause();
      }
    }
    return null;
  }

  #fail(error: unknown): void {
    if (error instanceof Unreachable || this.#leaving) return;
    if (!(error instanceof Failure)) throw error;
    this.failed = true;
    this.#deps.remark(`${error.message}\n${error.next}`);
  }

  leave(): void {
    this.#leaving = true;
  }
}

/** With what came before, where it follows it; else it stands alone. */
function joined(before: Piece | null, piece: Piece): Piece {
  const follows = before?.turn === piece.turn && before.reply === piece.reply;
  if (!follows || piece.at !== before.at + before.text.length) return piece;
  const text = before.text + piece.text;
  const over = Math.max(0, text.length - PARTIAL_CHARS);
  return { ...piece, at: before.at + over, text: text.slice(over) };
}
