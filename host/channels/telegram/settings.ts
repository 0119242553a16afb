/** What stands in the row of a Telegram channel, and the names of what is kept for it. */

/** `webhook` null: updates are asked for. */
export type TelegramSettings = { baseUrl: string; webhook: string | null; bot: Bot };
export type Bot = { id: number; username: string };

export const PUBLIC_API = 'https://api.telegram.org';

/** What a bot is asked to be told of (core.telegram.org/bots/api#getupdates). */
export const ALLOWED_UPDATES = ['message', 'edited_message', 'callback_query', 'message_reaction'] as const;

const UPPER = (channel: string): string => channel.toUpperCase().replaceAll('-', '_');
export const tokenName = (channel: string): string => `${UPPER(channel)}_TOKEN`;
export const webhookSecretName = (channel: string): string => `${UPPER(channel)}_WEBHOOK_SECRET`;

/** Where its updates come in, below the address of the web listener. */
export const webhookPath = (channel: string): string => `/telegram/${channel}`;

/** As BotFather hands them out: the bot's id, a colon, a key. */
export const isToken = (text: string): boolean => /^\d{1,20}:[A-Za-z0-9_-]{20,100}$/.test(text);

/** Throws when they are not those of a Telegram channel. */
export function parseSettings(value: unknown): TelegramSettings {
  const { baseUrl, webhook, bot } = (value ?? {}) as Partial<Record<keyof TelegramSettings, unknown>>;
  const { id, username } = (bot ?? {}) as Partial<Record<keyof Bot, unknown>>;
  if (typeof baseUrl === 'string' && typeof id === 'number' && typeof username === 'string') {
    return { baseUrl, webhook: typeof webhook === 'string' ? webhook : null, bot: { id, username } };
  }
  throw new Error('the settings of this channel are not those of a Telegram bot');
}
