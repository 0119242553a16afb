/** A code that is typed or followed as a link, once: 24 characters of base32 (RFC 4648), 120 bits of chance. */
import { createHash } from 'node:crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const CODE_CHARS = 24;
const GROUP = /.{4}(?=.)/g;

export function makeCode(random: (bytes: number) => Buffer): string {
  const letters = [...random(CODE_CHARS)].map((byte) => ALPHABET[byte % ALPHABET.length]);
  return letters.join('').replaceAll(GROUP, '$&-');
}

/** The code that a text is, alone or as Telegram's links send it: `/start CODE`. However it is written, it is the same. */
export function codeIn(text: string): string | null {
  const bare = text
    .slice(0, 200)
    .trim()
    .replace(/^\/start\s+/, '')
    .replaceAll(/[-\s]/g, '')
    .toUpperCase();
  return /^[A-Z2-7]{24}$/.test(bare) ? bare.replaceAll(GROUP, '$&-') : null;
}

export const hashOf = (code: string): string => createHash('sha256').update(code).digest('hex');
