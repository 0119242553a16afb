/** The part of the HTTP API that is about channels, as types only. */
import type { ChannelStatus } from '../channels/channel.ts';

/** GET /v1/channels. The terminal is always there and is not among them. */
export type ChannelView = { name: string; kind: 'http' | 'telegram' } & ChannelStatus;
