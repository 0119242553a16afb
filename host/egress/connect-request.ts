/** A CONNECT as it stands on the wire → the one host it means, or why it could mean two. */
import { normalHost, parseTarget, type TargetFault } from './target.ts';

export type Requested = { ok: true; host: string } | { ok: false; why: TargetFault | 'ambiguous' };

/** `rawHeaders` as Node gives them: name, value, name, value, … Twice the same name stands there twice. */
export function readRequest(url: string, rawHeaders: readonly string[]): Requested {
  const target = parseTarget(url);
  if (!target.ok) return target;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]?.toLowerCase();
    // What follows the head belongs to the tunnel (RFC 9110 §9.3.6): a length of it could only mislead.
    if (name === 'content-length' || name === 'transfer-encoding') return { ok: false, why: 'ambiguous' };
    if (name === 'host' && !agrees(rawHeaders[at + 1] ?? '', target.host)) return { ok: false, why: 'ambiguous' };
  }
  return target;
}

/** Some clients leave the port of https away. */
function agrees(value: string, host: string): boolean {
  const named = parseTarget(value);
  return (named.ok ? named.host : normalHost(value)) === host;
}
