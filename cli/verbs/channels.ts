import type { ChannelView, HttpChatView } from '../../host/api/channel-contract.ts';
import type { Context } from '../context.ts';
import { table } from '../printer.ts';
import { withHost } from '../reach.ts';
import { Failure } from '../failure.ts';
import { removeHttpChat } from './add-http.ts';

export async function listChannels(context: Context): Promise<void> {
  const channels = await withHost(context, () => context.api.call<ChannelView[]>('GET', '/v1/channels'));
  const rows = channels.map((it) => [it.name, it.kind, it.state, it.since, it.lastError?.text ?? '']);
  const turned = channels.flatMap(({ name, strangers }) => (strangers ? [turnedAway(name, strangers)] : []));
  const none = 'no channel beside the terminal';
  const text = rows.length === 0 ? none : table([['CHANNEL', 'KIND', 'STATE', 'SINCE', 'LAST ERROR'], ...rows]);
  const nexts = channels.flatMap((it) => (it.state === 'broken' && it.lastError ? [it.lastError.next] : []));
  const path = '/v1/channels/http/chats';
  const chats = await withHost(context, () => context.api.call<HttpChatView[]>('GET', path));
  const lines = chats.map((it) => [it.name, it.agent ?? '-', it.callback ?? 'events', it.createdAt]);
  const ofHttp = lines.length === 0 ? [] : ['', table([['HTTP CHAT', 'AGENT', 'REPLIES', 'SINCE'], ...lines])];
  const views = channels.map((it) => (it.kind === 'http' ? { ...it, chats } : it));
  context.printer.answer(views, [text, ...turned, ...nexts, ...ofHttp].join('\n'));
}

function turnedAway(name: string, { people, messages, lastAt }: NonNullable<ChannelView['strangers']>): string {
  const who = `${people} ${people === 1 ? 'stranger' : 'strangers'}`;
  return `${name}: ${who} turned away, ${messages} ${messages === 1 ? 'message' : 'messages'}, the last ${lastAt ?? ''}`;
}

export async function removeChannel(context: Context, name: string, chat?: string): Promise<void> {
  if (chat !== undefined && name !== 'http') {
    throw new Failure(`channel ${name} has no chats that are taken away one by one`, 'Leave --chat out.', 2);
  }
  if (chat !== undefined) return removeHttpChat(context, chat);
  const path = `/v1/channels/${encodeURIComponent(name)}`;
  const removed = await withHost(context, () => context.api.call<{ removed: string }>('DELETE', path));
  context.printer.answer(
    removed,
    `channel ${name} is out of use, and its token is kept no longer; what waits for it stays`,
  );
}
