import type { SessionView } from '../../host/api/contract.ts';
import type { OpenMessageView, ResetView, SessionDetail, StopView } from '../../host/api/operator-contract.ts';
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

/** `id` may be the beginning of one, here and below. */
export async function showSession(context: Context, id: string): Promise<void> {
  const it = await withHost(context, () => context.api.call<SessionDetail>('GET', `/v1/sessions/${pathStep(id)}`));
  const lines = [
    `session  ${it.id}`,
    `agent    ${it.agent}`,
    `key      ${it.key}`,
    `state    ${stateOf(it)}${it.pid === null ? '' : `, pid ${it.pid}`}`,
    `run      ${it.run}`,
    `cursor   ${it.cursor}`,
    `folder   ${it.folder}`,
    `created  ${it.createdAt}`,
    ...(it.endedAt === null ? [] : [`ended    ${it.endedAt}`]),
    `sizes    ${describeSizes(it.sizes)}`,
    `open     ${it.open} messages`,
    ...it.openMessages.map(describeOpen),
    `runs     ${it.runs.length === 0 ? 'none yet' : 'the last ones, newest first'}`,
    ...it.runs.map((run) =>
      `  ${run.run}  ${run.startedAt}  ${run.endedAt ?? 'under way'}  ${run.ending ?? ''}`.trimEnd(),
    ),
  ];
  context.printer.answer(it, lines.join('\n'));
}

export async function stopSession(context: Context, id: string): Promise<void> {
  const it = await withHost(context, () => context.api.call<StopView>('POST', `/v1/sessions/${pathStep(id)}/stop`));
  const messages = `${it.takenBack} open message${it.takenBack === 1 ? '' : 's'} taken back`;
  const pending = `${it.sessionId} is told to stop and does so as soon as its run can`;
  const nothing = `${it.sessionId} had nothing open; no run of it is left`;
  context.printer.answer(it, it.done ? (it.takenBack === 0 ? nothing : `stopped: ${messages}`) : pending);
}

export async function resetSession(context: Context, id: string): Promise<void> {
  const it = await withHost(context, () => context.api.call<ResetView>('POST', `/v1/sessions/${pathStep(id)}/reset`));
  const dropped = it.dropped === 0 ? '' : `; ${it.dropped} open message${it.dropped === 1 ? '' : 's'} dropped`;
  context.printer.answer(it, `${it.sessionId} has ended${dropped}. The next message begins a new conversation.`);
}

function describeSizes({ inbound, outbound, work, workFiles, whole }: SessionDetail['sizes']): string {
  const atLeast = whole ? '' : 'at least ';
  const files = workFiles === null ? '' : ` in ${atLeast}${workFiles} files`;
  return `inbound.db ${bytes(inbound)}, outbound.db ${bytes(outbound)}, work ${atLeast}${bytes(work)}${files}`;
}

function bytes(count: number | null): string {
  if (count === null) return 'gone';
  if (count < 1024 * 1024) return `${Math.ceil(count / 1024)} KiB`;
  return `${(count / 1024 / 1024).toFixed(1)} MiB`;
}

function describeOpen(it: OpenMessageView): string {
  const [line = ''] = it.text.split('\n', 1);
  const tries = it.tries === 0 ? '' : `, ${it.tries} tries`;
  return `  ${it.message}  ${it.at}${tries}  ${line.length > 60 ? `${line.slice(0, 60)}…` : line}`;
}

const stateOf = (it: SessionView): string => {
  if (it.endedAt !== null) return 'ended';
  return it.place === null ? it.state : `${it.state} (place ${it.place})`;
};
