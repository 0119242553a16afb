/** Who is speaking, and what they are here. Everyone whom no rule knows is refused. */
import type { Address, Role } from '@halfdoor/protocol/message';

/** Whoever can open the host's socket is `local:<uid>` and owner: the socket's mode is the proof. */
export function identify(address: Address, sender: string): Role {
  // Whoever has the token of an http chat speaks as a member; the channel has compared it, and only it names senders so.
  if (address.channel === 'http' && sender.startsWith(`http:${address.chat}/`)) return 'member';
  return address.channel === 'terminal' && /^local:\d+$/.test(sender) ? 'owner' : 'none';
}
