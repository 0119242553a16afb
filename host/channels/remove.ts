/**
 * Takes a channel out of use. Its chats, their conversations and what waits for them stay: a channel of the same name
 * added again goes on with them. What was kept to speak to its platform does not.
 */
import { audit } from '../authority/audit.ts';
import type { Central } from '../db/central.ts';
import type { Ids } from '../ids.ts';
import { Refusal } from '../refusal.ts';
import { forgetTelegram, type ForgetDeps } from './forget-telegram.ts';
import type { Roster } from './roster.ts';

export type RemoveDeps = ForgetDeps & { central: Central; roster: Roster; ids: Ids; now(): string };

/** Throws `Refusal` when there is none of this name. */
export async function removeChannel(deps: RemoveDeps, name: string, actor: string): Promise<void> {
  const { central, roster, ids, now } = deps;
  const { kind, settings } = await central.commit('channel', async (tx) => {
    const row = await tx.deleteFrom('channels').where('name', '=', name).returningAll().executeTakeFirst();
    if (!row) throw new Refusal('not-found', `no channel ${name}`, 'See `./halfdoor channels list`.');
    await tx.deleteFrom('pairings').where('channel', '=', name).execute();
    await audit(tx, { id: ids(), at: now(), actor, action: 'remove_channel', target: name });
    return row;
  });
  await roster.remove(name);
  if (kind === 'telegram') await forgetTelegram(deps, name, settings, actor);
}
