/** Who is speaking, and what they are here. Nobody is anything unless a row or the host's own socket says so. */
import type { Address, Role } from '@halfdoor/protocol/message';
import type { Kysely } from 'kysely';
import { compiled } from '../db/compiled.ts';
import type { Schema } from '../db/schema.ts';

const ROLE = compiled((db, it: { id: string }) => db.selectFrom('users').select('role').where('id', '=', it.id));

type Speaking = { address: Address; sender: string };

/** Whoever can open the host's socket is `local:<uid>` and owner: the socket's mode is the proof. */
export async function identify(db: Kysely<Schema>, { address, sender }: Speaking): Promise<Role> {
  if (address.channel === 'terminal') return /^local:\d+$/.test(sender) ? 'owner' : 'none';
  // Whoever has the token of an http chat speaks as a member; the channel has compared it, and only it names senders so.
  if (address.channel === 'http') return sender.startsWith(`http:${address.chat}/`) ? 'member' : 'none';
  return (await ROLE.first(db, { id: sender }))?.role ?? 'none';
}
