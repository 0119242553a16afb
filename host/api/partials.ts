/**
 * Pieces of replies that are still being written, for one connected terminal. A piece goes to the chat that its
 * destination stands for, by the same rows that a reply is authorized by, and to no other.
 */
import type { Progress, Said } from '@halfdoor/protocol/host';
import { chatBehind } from '../outbound/authorize.ts';
import type { Central } from '../db/central.ts';
import type { ChatEvent } from './contract.ts';

type Partial = Extract<ChatEvent, { type: 'partial' }>;
/** How far a reply was shown. */
export type Shown = { turn: string; reply: number; end: number };
type Chat = { channel: string; chat: string };

/**
 * What of `said` is new after what was shown: only what follows it where that is known, else all of it. Null when it
 * says nothing more. A hole, or an offset before what was shown, starts the reply again at `at`.
 */
export function newIn(shown: Shown | null, turn: string, said: Said): Partial | null {
  const { reply, at, text } = said;
  const whole: Partial = { type: 'partial', turn, reply, at, text };
  if (shown?.turn !== turn || shown.reply !== reply || at > shown.end || at + text.length < shown.end) return whole;
  const fresh = text.slice(shown.end - at);
  return fresh === '' ? null : { ...whole, at: shown.end, text: fresh };
}

/** An agent that makes up names makes the host ask again, one question at a time, and costs no memory. */
const NAMES = 64;

export class Partials {
  readonly #central: Central;
  readonly #chat: Chat;
  readonly #write: (event: Partial) => boolean;
  /** Agent and name → whether that is this chat; asked once until destinations may have changed. */
  readonly #mine = new Map<string, boolean>();
  #version = -1;
  #asking = false;
  /** What came while it was not known whose it is. */
  #pending: Parameters<Partials['take']> | null = null;
  /** By session. */
  readonly #shown = new Map<string, Shown>();

  /** `write` returns false when the client is behind; what it missed is told again with what follows. */
  constructor(central: Central, chat: Chat, write: (event: Partial) => boolean) {
    this.#central = central;
    this.#chat = chat;
    this.#write = write;
  }

  take(sessionId: string, agentId: string, progress: Progress): void {
    const { turn, said } = progress;
    this.#pending = null;
    if (said === null || turn === null) {
      this.#shown.delete(sessionId);
      return;
    }
    const isMine = this.#isMine(agentId, said.to);
    if (isMine === null) this.#pending = [sessionId, agentId, progress];
    if (!isMine) return;
    const fresh = newIn(this.#shown.get(sessionId) ?? null, turn, said);
    if (fresh === null || !this.#write(fresh)) return;
    this.#shown.set(sessionId, { turn, reply: said.reply, end: fresh.at + fresh.text.length });
  }

  /** Null while it is being asked. */
  #isMine(agentId: string, name: string): boolean | null {
    const { agentsVersion } = this.#central;
    if (this.#version !== agentsVersion || this.#mine.size >= NAMES) this.#mine.clear();
    this.#version = agentsVersion;
    const key = JSON.stringify([agentId, name]);
    const known = this.#mine.get(key);
    if (known === undefined && !this.#asking) void this.#ask(key, agentId, name, agentsVersion);
    return known ?? null;
  }

  async #ask(key: string, agentId: string, name: string, version: number): Promise<void> {
    this.#asking = true;
    try {
      const found = await chatBehind(this.#central.read, agentId, name);
      const isMine = found?.channel === this.#chat.channel && found.chat === this.#chat.chat;
      if (version === this.#version) this.#mine.set(key, isMine);
    } catch {
      this.#pending = null; // the host is closing; a piece is no loss
    } finally {
      this.#asking = false;
    }
    if (this.#pending !== null) this.take(...this.#pending);
  }
}
