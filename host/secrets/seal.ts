/**
 * AES-256-GCM (NIST SP 800-38D): a fresh 96-bit nonce each time, a tag of 128 bits behind the text. The secret's name is
 * authenticated with it, so that a row put under another name does not open.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
export const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export type Sealed = { nonce: Uint8Array; sealed: Uint8Array };

/** `nonce` must never be used again with this key. */
export function seal(key: Buffer, name: string, value: string, nonce: Buffer): Sealed {
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(name));
  const text = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
  return { nonce, sealed: Buffer.concat([text, cipher.getAuthTag()]) };
}

/** Null when it was sealed by another key or under another name, or is damaged. */
export function unseal(key: Buffer, name: string, { nonce, sealed }: Sealed): string | null {
  if (nonce.length !== NONCE_BYTES || sealed.length <= TAG_BYTES) return null;
  const border = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(name))
    .setAuthTag(sealed.subarray(border));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, border)), decipher.final()]).toString('utf8');
  } catch {
    return null;
  }
}
