/** Whether a wired agent takes this message up. */
import type { Role } from '@halfdoor/protocol/message';

export type Admission = { admit: true; wakes: boolean } | { admit: false; reason: string };

/** Engage rule `always`: every message of somebody who is known starts a turn. */
export function admit(engage: 'always', role: Role): Admission {
  if (role === 'none') return { admit: false, reason: 'the sender is not known here' };
  return { admit: true, wakes: engage === 'always' };
}
