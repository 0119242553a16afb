/** Who may write: of all live sessions that work on one folder the first it was given to, the others read. */
import type { FolderAccess } from '@halfdoor/protocol/message';
import { isBelow } from './mountable.ts';

/** A folder given to a live session. */
export type Claim = {
  sessionId: string;
  agent: string;
  path: string;
  /** `device:inode` of what was given. */
  identity: string;
  givenAt: string;
};

/** What a run that is not gone has mounted, whatever its session has by now. */
export type Held = Claim & { access: FolderAccess };

/** `with`: another agent that works on it. `clash`: one that works on a folder above or below, so that neither is safe. */
export type Granted =
  | { access: FolderAccess; with: string | null; clash: null }
  | { access: null; with: null; clash: { agent: string; path: string } };

/**
 * Whoever writes in /a can put something else in the place of /a/b, so no two sessions have both. `claims` and `held` are
 * other sessions'.
 */
export function grant(own: Claim, claims: readonly Claim[], held: readonly Held[]): Granted {
  const others = [...claims, ...held];
  const clash = others.find((it) => isBelow(it.path, own.path) || isBelow(own.path, it.path));
  if (clash) return { access: null, with: null, clash: { agent: clash.agent, path: clash.path } };
  const writer =
    held.find((it) => isSame(it, own) && it.access === 'read-write') ??
    claims.find((it) => isSame(it, own) && isEarlier(it, own));
  const access = writer ? 'read-only' : 'read-write';
  return { access, with: (writer ?? others.find((it) => isSame(it, own)))?.agent ?? null, clash: null };
}

const isSame = (a: Claim, b: Claim): boolean => a.path === b.path || a.identity === b.identity;

const isEarlier = (a: Claim, b: Claim): boolean =>
  a.givenAt < b.givenAt || (a.givenAt === b.givenAt && a.sessionId < b.sessionId);
