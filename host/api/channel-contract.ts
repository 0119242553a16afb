/** The part of the HTTP API that is about channels, as types only. */
import type { ChannelStatus } from '../channels/channel.ts';
import type { ProgressStyle } from '../db/schema.ts';

/**
 * GET /v1/channels. The terminal is always there and is not among them. `strangers`: who was turned away, and how many
 * messages that was.
 */
export type ChannelView = { name: string; kind: 'http' | 'telegram' } & ChannelStatus & {
    strangers?: { people: number; messages: number; lastAt: string | null };
  };

/**
 * POST /v1/channels/telegram. The token goes in and never comes out. `dropWebhook`: a webhook that is set for the bot is
 * taken away. Answers with the first code.
 */
export type TelegramInput = {
  name?: string;
  agent: string;
  token: string;
  baseUrl?: string;
  webhook?: string | null;
  dropWebhook?: boolean;
};

/** POST /v1/channels/:name/pairings {agent}: a code that makes its sender an owner who talks to this agent; shown once. */
export type PairingView = {
  id: string;
  channel: string;
  agent: string;
  /** The bot's name on Telegram. */
  bot: string;
  code: string;
  link: string;
  expiresAt: string;
};

/** GET /v1/channels/:name/pairings/:id?wait=MS. */
export type PairedView = { state: 'open' | 'used' | 'expired'; by: string | null; name: string | null };

/** GET /v1/wirings. `progress` is what was asked for, null for what suits the place; `shown` what people there see. */
export type WiringView = {
  agent: string;
  channel: string;
  chat: string;
  kind: 'dm' | 'group';
  title: string | null;
  progress: ProgressStyle | null;
  shown: ProgressStyle;
};
/** PATCH /v1/wirings. */
export type WiringPatch = { agent: string; channel: string; chat: string; progress: ProgressStyle | null };
