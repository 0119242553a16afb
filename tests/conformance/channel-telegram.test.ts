import { TelegramChannel } from '../../host/channels/telegram/index.ts';
import { QUIET_WEB } from '../fakes/quiet-web.ts';
import { BOT, openTelegram, TOKEN, type Fault as Broken } from '../fakes/telegram.ts';
import { channelCases } from './channel-cases.ts';
import type { Fault, Shown } from './channel-stage.ts';

const traits = {
  ...{ idempotent: false, edits: true, files: true, buttons: true, says: true, presence: false, reconnects: true },
  faults: ['busy', 'down', 'refused', 'dropped'] as const,
};

const brokenBy = (fault: Fault, retryAfterMs: number | null): Broken => {
  switch (fault) {
    case 'busy':
      return { code: 429, description: 'Too Many Requests', parameters: { retry_after: (retryAfterMs ?? 0) / 1000 } };
    case 'down':
      return { code: 500, description: 'Internal Server Error' };
    case 'refused':
      return { code: 403, description: 'Forbidden: bot was blocked by the user' };
    case 'dropped':
      return 'drop';
  }
};

channelCases('telegram', traits, async (host, t) => {
  const telegram = await openTelegram(t);
  telegram.chats.set('17', new Set()).set('18', new Set());
  const settings = { baseUrl: telegram.baseUrl, webhook: null, bot: { id: BOT.id, username: BOT.username } };
  const channel = new TelegramChannel(host, settings, {
    secret: () => TOKEN,
    knows: () => Promise.resolve(true),
    web: QUIET_WEB,
  });
  channel.start();
  await telegram.until(() => telegram.polling);
  const place = { channel: 'telegram', chat: '17', thread: null };
  const isIn = (chat: string) => (it: { chat: string }) => it.chat === chat;
  const shown = ({ chat }: { chat: string }): Shown[] =>
    telegram.said
      .filter(isIn(chat))
      .map(({ text, file, buttons }) => ({ text, files: file === null ? [] : [file], buttons }));
  return {
    channel,
    place,
    other: { ...place, chat: '18' },
    shown,
    fault: (fault, retryAfterMs) => telegram.fail('sendMessage', brokenBy(fault, retryAfterMs)),
    say: async (_id, text) => {
      telegram.write({ id: 17 }, text);
      await telegram.until(() => telegram.unconfirmed === 0);
    },
    cut: () => telegram.cut(),
    mend: () => Promise.resolve(telegram.mend()),
    close: () => channel.close(),
  };
});
