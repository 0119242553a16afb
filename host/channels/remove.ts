/**
 * Takes a channel out of use. Its chats, their conversations and what waits for them stay: a channel of the same name
 * added again goes on with them.
 */
import { audit } from '../authority/audit.ts';
import type { Central } from '../db/central.ts';
import type { Ids } from '../ids.ts';
import { Refusal } from '../refusal.ts';
import type { Roster } from './roster.ts';

export type RemoveDeps = { central: Central; roster: Roster; ids: Ids; now(): string };

/** Throws `Refusal` when there is none of this name. */
export async function removeChannel(deps: RemoveDeps, name: string, actor: string): Promise<void> {
  const { central, roster, ids, now } = deps;
  await central.commit('channel', async (tx) => {
    const { numDeletedRows } = await tx.deleteFrom('channels').where('name', '=', name).executeTakeFirstOrThrow();
    if (numDeletedRows === 0n) {
      throw new Refusal('not-found', `no channel ${name}`, 'See `./halfdoor channels list`.');
    }
    await audit(tx, { id: ids(), at: now(), actor, action: 'remove_channel', target: name });
  });
  await roster.remove(name);
}
