import type { WiringPatch, WiringView } from '../../host/api/channel-contract.ts';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { table } from '../printer.ts';
import { withHost } from '../reach.ts';
import { visible } from '../visible.ts';

export async function listWirings(context: Context): Promise<void> {
  const wirings = await withHost(context, () => context.api.call<WiringView[]>('GET', '/v1/wirings'));
  const rows = wirings.map((it) => [it.agent, placeOf(it), it.kind, visible(it.title ?? ''), shownIn(it)]);
  const none = 'no agent listens anywhere beside the terminal';
  const heads = ['AGENT', 'CHAT', 'KIND', 'TITLE', 'PROGRESS'];
  context.printer.answer(wirings, rows.length === 0 ? none : table([heads, ...rows]));
}

export async function updateWiring(context: Context, agent: string, place: string, style: string): Promise<void> {
  const [, channel, chat] = /^([^:]+):(.+)$/s.exec(place) ?? [];
  if (channel === undefined || chat === undefined) {
    throw new Failure(`${visible(place)} names no chat`, 'Give CHANNEL:CHAT as ./halfdoor wirings list shows it.', 2);
  }
  const progress = (style === 'default' ? null : style) as WiringPatch['progress'];
  const patch: WiringPatch = { agent, channel, chat, progress };
  const wiring = await withHost(context, () => context.api.call<WiringView>('PATCH', '/v1/wirings', patch));
  context.printer.answer(wiring, `${agent} in ${visible(placeOf(wiring))}: ${shownIn(wiring)}`);
}

const placeOf = ({ channel, chat }: WiringView): string => `${channel}:${chat}`;
const shownIn = ({ progress, shown }: WiringView): string => (progress === null ? `${shown} (default)` : shown);
