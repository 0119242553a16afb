/**
 * What a CONNECT may name: a host name of letters, digits and dashes with a dot in it, and port 443. Everything that
 * another reader could take for an address, for two hosts or for a person's name is refused here, before it is looked up.
 */
export type Target = { ok: true; host: string } | { ok: false; why: TargetFault };
export type TargetFault = 'address' | 'port' | 'name';

/** RFC 1035: 255 bytes on the wire are 253 characters without the last dot. */
const NAME_CHARS = 253;
const TARGET_CHARS = NAME_CHARS + '.:443'.length;
/** RFC 952, RFC 1123; names in other scripts come as punycode (RFC 5891). */
const LABEL = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/;
/** A name that ends so is an address to whoever follows the URL standard: https://url.spec.whatwg.org/#ends-in-a-number-checker */
const NUMBER = /^(?:[0-9]+|0x[0-9a-f]*)$/;
/** More than one colon before the port: an address of version 6, without its brackets or with a zone. */
const LOOKS_LIKE_V6 = /^\[|^[0-9a-f]*:[0-9a-f:]*:/;

export function parseTarget(text: string): Target {
  if (text.length > TARGET_CHARS) return { ok: false, why: 'name' };
  const folded = asciiLower(text);
  if (LOOKS_LIKE_V6.test(folded)) return { ok: false, why: 'address' };
  const colon = folded.indexOf(':');
  const before = colon === -1 ? folded : folded.slice(0, colon);
  if (before === '' || !/^[a-z0-9.-]+$/.test(before) || folded.includes('@')) return { ok: false, why: 'name' };
  const name = before.endsWith('.') ? before.slice(0, -1) : before;
  if (NUMBER.test(name.split('.').at(-1) ?? '')) return { ok: false, why: 'address' };
  const host = normalHost(before);
  if (host === null) return { ok: false, why: 'name' };
  return folded.slice(before.length) === ':443' ? { ok: true, host } : { ok: false, why: 'port' };
}

/** A host name in lower case without its last dot; null for what is none, addresses included. */
export function normalHost(text: string): string | null {
  if (text.length > NAME_CHARS + 1) return null;
  const folded = asciiLower(text);
  const host = folded.endsWith('.') ? folded.slice(0, -1) : folded;
  const labels = host.split('.');
  if (host.length > NAME_CHARS || labels.length < 2 || NUMBER.test(labels.at(-1) ?? '')) return null;
  return labels.every((label) => LABEL.test(label)) ? host : null;
}

/** Only the letters of ASCII: others have lower forms within it, as the Kelvin sign has. */
const asciiLower = (text: string): string => text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
