/** The part of the HTTP API that is about channels, as types only. */
import type { ChannelStatus } from '../channels/channel.ts';
import type { ProgressStyle } from '../db/schema.ts';

/** GET /v1/channels. The terminal is always there and is not among them. */
export type ChannelView = { name: string; kind: 'http' | 'telegram' } & ChannelStatus;

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
