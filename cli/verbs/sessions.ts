import type { SessionView } from '../../host/api/contract.ts';
import { pathStep } from '../api.ts';
import type { Context } from '../context.ts';
import { table } from '../printer.ts';
import { withHost } from '../reach.ts';

export async function listSessions(context: Context): Promise<void> {
  const sessions = await withHost(context, () => context.api.call<SessionView[]>('GET', '/v1/sessions'));
  const rows = sessions.map((it) => [it.id, it.agent, stateOf(it), String(it.run), String(it.open), it.createdAt]);
  const head = ['SESSION', 'AGENT', 'STATE', 'RUN', 'OPEN', 'CREATED'];
  context.printer.answer(sessions, rows.length === 0 ? 'no sessions yet' : table([head, ...rows]));
}

/** `id` may be the beginning of one. */
export async function getSession(context: Context, id: string): Promise<void> {
  const it = await withHost(context, () => context.api.call<SessionView>('GET', `/v1/sessions/${pathStep(id)}`));
  const lines = [
    `session  ${it.id}`,
    `agent    ${it.agent}`,
    `key      ${it.key}`,
    `state    ${stateOf(it)}${it.pid === null ? '' : `, pid ${it.pid}`}`,
    `run      ${it.run}`,
    `cursor   ${it.cursor}`,
    `open     ${it.open} messages`,
    `folder   ${it.folder}`,
    `created  ${it.createdAt}`,
    ...(it.endedAt === null ? [] : [`ended    ${it.endedAt}`]),
  ];
  context.printer.answer(it, lines.join('\n'));
}

const stateOf = (it: SessionView): string => {
  if (it.endedAt !== null) return 'ended';
  return it.place === null ? it.state : `${it.state} (place ${it.place})`;
};
