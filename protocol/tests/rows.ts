/** Rows as tests write them. */
import type { InboundMessage, NewInbound, NewOutbound } from '../message.ts';
import { AT } from './world.ts';

export const TERMINAL = { channel: 'terminal', chat: 'a', thread: null };

export const chat = (id: string, text = id): NewInbound & { kind: 'chat' } => ({
  id,
  kind: 'chat',
  text,
  timestamp: AT,
  wakes: true,
  address: TERMINAL,
  sender: 'local:1000',
  role: 'owner',
});

export const message = (id: string, text = id, answers: string[] = []): NewOutbound & { kind: 'message' } => ({
  id,
  kind: 'message',
  turn: 't1',
  answers,
  timestamp: AT,
  destination: 'terminal',
  thread: null,
  text,
});

export const done = (messageId: string) => ({ messageId, status: 'done' as const, reason: null });

/** Texts that break careless borders. */
export const HARD_TEXTS: Record<string, string> = {
  empty: '',
  'control characters, 64 KiB': '\u0001'.repeat(64 * 1024),
  NUL: 'a\0b\0',
  'lone surrogates': '\ud800 x \udc00',
  'pairs and marks': '👩‍👩‍👧‍👦 é \u202e\u2028\ufeff',
  'tags and quotes': `</message>"'\\ \${x} -- ; drop table meta`,
  '64 KiB of four-byte signs': '𝄞'.repeat(16 * 1024),
};

/** The message that a projected one becomes. */
export const asRead = (it: NewInbound, seq: number): InboundMessage =>
  it.kind === 'control' ? { ...it, seq, withdrawn: false } : { ...it, files: it.files ?? [], seq, withdrawn: false };
