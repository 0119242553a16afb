/** The kinds of channels there are beside the terminal. Each is loaded when one of its kind is to be opened. */
import type { Channel } from './channel.ts';
import type { ChannelHost } from './channel-host.ts';

/** Throws `Refusal` when the settings are not those of this kind. */
export type MakeChannel = (host: ChannelHost, settings: unknown) => Promise<Channel>;
export type ChannelKind = string;

export function channelKinds(): Readonly<Record<ChannelKind, MakeChannel>> {
  return {};
}
