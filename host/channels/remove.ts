/**
 * Takes a channel out of use. Its chats, their conversations and what waits for them stay: a channel of the same name
 * added again goes on with them.
 */
import { audit } from '../authority/audit.ts';
import type { Central } from '../db/central.ts';
import type { Ids } from '../ids.ts';
import { Refusal } from '../refusal.ts';
import type { Removed } from './forget.ts';
import type { Roster } from './roster.ts';

export type RemoveDeps = { central: Central; roster: Roster; ids: Ids; now(): string };

/** Returns its row, for what is left outside of it. Throws `Refusal` when there is none of this name. */
export async function removeChannel(deps: RemoveDeps, name: string, actor: string): Promise<Removed> {
  const { central, roster, ids, now } = deps;
  const removed = await central.commit('channel', async (tx) => {
    const row = await tx.deleteFrom('channels').where('name', '=', name).returningAll().executeTakeFirst();
    if (!row) throw new Refusal('not-found', `no channel ${name}`, 'See `./halfdoor channels list`.');
    await tx.deleteFrom('pairings').where('channel', '=', name).execute();
    await audit(tx, { id: ids(), at: now(), actor, action: 'remove_channel', target: name });
    return row;
  });
  await roster.remove(name);
  return removed;
}
