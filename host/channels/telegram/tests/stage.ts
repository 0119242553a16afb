/** A Telegram channel, the Telegram it speaks to, and a host that answers as it is told to. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { QUIET_WEB } from '../../../../tests/fakes/quiet-web.ts';
import { openTelegram, TOKEN, type TelegramFake } from '../../../../tests/fakes/telegram.ts';
import type { Outgoing } from '../../channel.ts';
import type { ChannelHost, Incoming, Taken } from '../../channel-host.ts';
import { TelegramChannel } from '../index.ts';

export const ADDRESS = { channel: 'telegram', chat: '17', thread: null };
export const SECRET = 'a-secret-of-the-webhook';

type Opened = {
  channel: TelegramChannel;
  telegram: TelegramFake;
  taken: Incoming[];
  /** Of the files of each. */
  contents: string[][];
  answers: Taken[];
  ready: string[];
  spool: string;
};

export async function openChannel(
  t: TestContext,
  { webhook = false, start = false, known = true } = {},
): Promise<Opened> {
  const telegram = await openTelegram(t);
  telegram.chats.set('17', new Set());
  const taken: Incoming[] = [];
  const contents: string[][] = [];
  const answers: Taken[] = [];
  const ready: string[] = [];
  const spool = mkdtempSync(join(tmpdir(), 'hd-spool-'));
  t.after(() => rmSync(spool, { recursive: true }));
  const host: ChannelHost = {
    name: 'telegram',
    accept: (it) => {
      taken.push(it);
      contents.push((it.files ?? []).map(({ path }) => readFileSync(path, 'utf8')));
      return Promise.resolve(answers.shift() ?? { status: 'taken', eventId: 'e', repeated: false });
    },
    ready: (it) => void ready.push(it.chat),
    spool,
    now: () => new Date(),
    after: (ms, fn) => {
      const timer = setTimeout(fn, ms);
      return { cancel: () => clearTimeout(timer) };
    },
    random: () => 0,
    newId: () => 'a-boundary-that-was-just-made',
    log: { info: () => {}, warn: () => {}, error: () => {} },
  };
  const settings = {
    baseUrl: telegram.baseUrl,
    webhook: webhook ? 'https://example.org/telegram/telegram' : null,
    bot: { id: 4242, username: 'HelperTestBot' },
  };
  const secrets: Record<string, string> = { TELEGRAM_TOKEN: TOKEN, TELEGRAM_WEBHOOK_SECRET: SECRET };
  const deps = { secret: (name: string) => secrets[name] ?? null, knows: () => Promise.resolve(known), web: QUIET_WEB };
  const channel = new TelegramChannel(host, settings, deps);
  t.after(() => channel.close());
  if (start) channel.start();
  return { spool, contents, channel, telegram, taken, answers, ready };
}

export const outgoing = (more: Partial<Outgoing> = {}): Outgoing => ({
  ...{ delivery: 'd1', position: 1, address: ADDRESS, text: 'hello', seq: 1, notice: false, mayBeDuplicate: false },
  ...{ answers: [], files: [], buttons: [], ...more },
});
