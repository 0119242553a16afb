/** Messages that are to be taken away again: noted, so that no crash leaves half a text standing in a chat. */
import type { Address } from '@halfdoor/protocol/message';
import type { Channel } from '../channels/channel.ts';
import type { Central } from '../db/central.ts';
import { errorText, type Log } from '../log.ts';

type Where = Pick<Address, 'channel' | 'chat'>;

export async function notePreview(central: Central, { channel, chat }: Where, id: string, at: string): Promise<void> {
  const row = { channel, chat, platform_id: id, at };
  await central.commit('preview', (tx) =>
    tx
      .insertInto('previews')
      .values(row)
      .onConflict((conflict) => conflict.doNothing())
      .execute(),
  );
}

export async function forgetPreview(central: Central, { channel, chat }: Where, id: string): Promise<void> {
  await central.commit('preview', (tx) =>
    tx
      .deleteFrom('previews')
      .where('channel', '=', channel)
      .where('chat', '=', chat)
      .where('platform_id', '=', id)
      .execute(),
  );
}

/** What a host before left standing; what cannot be taken away now is left for the next. */
export async function takeAwayPreviews(deps: {
  central: Central;
  log: Log;
  channel(name: string): Channel | undefined;
}): Promise<void> {
  const rows = await deps.central.read.selectFrom('previews').selectAll().execute();
  for (const { channel, chat, platform_id: id } of rows) {
    try {
      const sent = await deps.channel(channel)?.delete?.({ channel, chat, thread: null }, id);
      if (sent?.status === 'failed' && sent.transient) continue;
      await forgetPreview(deps.central, { channel, chat }, id);
    } catch (error) {
      deps.log.warn('an unfinished message was not taken away', { channel, error: errorText(error) });
    }
  }
}
