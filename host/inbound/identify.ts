/** Who is speaking, and what they are here. So far only the terminal knows anybody; everyone else is refused. */
import type { Address, Role } from '@halfdoor/protocol/message';

/** Whoever can open the host's socket is `local:<uid>` and owner: the socket's mode is the proof. */
export function identify(address: Address, sender: string): Role {
  return address.channel === 'terminal' && /^local:\d+$/.test(sender) ? 'owner' : 'none';
}
