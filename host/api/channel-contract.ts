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

/** GET /v1/channels/http/chats. `agent` null: it was deleted, and nobody listens there. */
export type HttpChatView = { name: string; agent: string | null; callback: string | null; createdAt: string };

/**
 * POST /v1/channels/http: where it listens, and a chat of it; what is left out stays as it is. `rotate` gives a chat that
 * is there a new token, and with a callback a new signing secret. `callback` null: replies are read as events.
 */
export type HttpChatInput = {
  chat?: string;
  agent?: string;
  callback?: string | null;
  rotate?: boolean;
  port?: number;
  bind?: string;
  hostNames?: string[];
};

/** `token` and `signing` are never shown again. `agent` and `destination` null: the chat was there before. */
export type HttpChatMade = {
  url: string;
  /** Why nobody can ask there now. */
  fault: ChannelStatus['lastError'];
  chat: {
    name: string;
    token: string;
    signing: string | null;
    callback: string | null;
    agent: string | null;
    destination: string | null;
  } | null;
};

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
