/** What people are shown of all channels. */
import type { ChannelView } from '../api/channel-contract.ts';
import { strangersOf } from '../authority/strangers.ts';
import type { Central } from '../db/central.ts';
import type { Roster } from './roster.ts';

export async function channelViews(central: Central, roster: Roster): Promise<ChannelView[]> {
  const strangers = await strangersOf(central.read);
  return roster.views().map((view) => {
    const turned = strangers.get(view.name);
    return turned ? { ...view, strangers: turned } : view;
  });
}
