/** Which agent listens in which chat, and what the people there see while they wait. */
import type { WiringPatch, WiringView } from '../api/channel-contract.ts';
import { audit } from '../authority/audit.ts';
import type { Channel } from '../channels/channel.ts';
import type { Central } from '../db/central.ts';
import type { ProgressStyle } from '../db/schema.ts';
import type { Ids } from '../ids.ts';
import { canShow, PROGRESS_STYLES, styleFor } from '../progress/style.ts';
import { Refusal } from '../refusal.ts';

export type WiringsDeps = {
  central: Central;
  ids: Ids;
  now(): string;
  channel(name: string): Channel | undefined;
};

/** The terminal's are not among them: it shows all there is. */
export async function listWirings(deps: Pick<WiringsDeps, 'central' | 'channel'>): Promise<WiringView[]> {
  const rows = await deps.central.read
    .selectFrom('wirings')
    .innerJoin('chats', 'chats.id', 'wirings.chat_id')
    .innerJoin('agents', 'agents.id', 'wirings.agent_id')
    .select(['agents.name as agent', 'chats.channel', 'chats.platform_id as chat', 'chats.kind', 'chats.title'])
    .select('wirings.progress')
    .where('chats.channel', '!=', 'terminal')
    .orderBy('chats.channel')
    .orderBy('chats.platform_id')
    .orderBy('agents.name')
    .execute();
  return rows.map(({ progress, ...row }) => {
    const shows = deps.channel(row.channel)?.capabilities;
    return { ...row, progress, shown: shows ? styleFor(progress, row.kind, shows) : 'off' };
  });
}

/** Holds from the next message on. Throws `Refusal`. */
export async function updateWiring(deps: WiringsDeps, patch: WiringPatch, actor: string): Promise<WiringView> {
  const { agent, channel, chat } = patch;
  const progress = checkStyle(deps.channel(channel), patch.progress);
  const found = (await listWirings(deps)).find(
    (it) => it.agent === agent && it.channel === channel && it.chat === chat,
  );
  if (!found) {
    throw new Refusal('not-found', `${agent} does not listen in ${channel}:${chat}`, 'See `./halfdoor wirings list`.');
  }
  await deps.central.commit('channel', async (tx) => {
    await tx
      .updateTable('wirings')
      .set({ progress })
      .where('chat_id', 'in', (eb) =>
        eb.selectFrom('chats').select('id').where('channel', '=', channel).where('platform_id', '=', chat),
      )
      .where('agent_id', 'in', (eb) => eb.selectFrom('agents').select('id').where('name', '=', agent))
      .execute();
    const target = `${agent} in ${channel}:${chat}`;
    await audit(tx, { id: deps.ids(), at: deps.now(), actor, action: 'update_wiring', target });
  });
  const shows = deps.channel(channel)?.capabilities;
  return { ...found, progress, shown: shows ? styleFor(progress, found.kind, shows) : 'off' };
}

function checkStyle(channel: Channel | undefined, wanted: unknown): ProgressStyle | null {
  if (wanted === null) return null;
  const style = PROGRESS_STYLES.find((it) => it === wanted);
  const all = `Give one of ${PROGRESS_STYLES.join(', ')}, or default.`;
  if (style === undefined) throw new Refusal('bad-input', 'that is no style of progress', all);
  if (channel && !canShow(style, channel.capabilities)) {
    throw new Refusal('bad-input', `${channel.name} cannot show ${style}`, all);
  }
  return style;
}
