/** The kinds of channels there are beside the terminal. Each is loaded when one of its kind is to be opened. */
import type { WebListener } from '../web.ts';
import type { Channel } from './channel.ts';
import type { ChannelHost } from './channel-host.ts';
import type { HttpSide } from './http/types.ts';
import type { TelegramDeps } from './telegram/index.ts';

/** Throws `Refusal` when the settings are not those of this kind. */
export type MakeChannel = (host: ChannelHost, settings: unknown) => Promise<Channel>;
export type ChannelKind = string;
export type KindDeps = { web: WebListener; http: HttpSide; telegram: TelegramDeps };

export function channelKinds({ web, http, telegram }: KindDeps): Readonly<Record<ChannelKind, MakeChannel>> {
  return {
    telegram: async (host, settings) => {
      const { openTelegram } = await import('./telegram/index.ts');
      return openTelegram(host, settings, telegram);
    },
    http: async (host, settings) => {
      const { HttpChannel } = await import('./http/index.ts');
      const { placeOf } = await import('../http-chats/place.ts');
      web.listenAt(placeOf(settings));
      return new HttpChannel(host, http, web);
    },
  };
}
