import type { DeadView, ReplayAllView, ReplayView } from '../../host/api/operator-contract.ts';
import { pathStep } from '../api.ts';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { table } from '../printer.ts';
import { withHost } from '../reach.ts';

const ERROR_CHARS = 70;

export async function listDead(context: Context): Promise<void> {
  const letters = await withHost(context, () => context.api.call<DeadView[]>('GET', '/v1/dead'));
  const rows = letters.map((it) => [it.id, it.kind, it.agent, String(it.tries), it.at, firstLine(it.error)]);
  const head = ['ID', 'KIND', 'AGENT', 'TRIES', 'GIVEN UP', 'WHY'];
  context.printer.answer(letters, rows.length === 0 ? 'no dead letters' : table([head, ...rows]));
}

export async function showDead(context: Context, id: string): Promise<void> {
  const it = await withHost(context, () => context.api.call<DeadView>('GET', `/v1/dead/${pathStep(id)}`));
  const lines = [
    `id        ${it.id} (${it.kind})`,
    `agent     ${it.agent}`,
    `session   ${it.sessionId ?? '-'}`,
    ...it.messages.map((message) => `message   ${message}`),
    ...(it.to === null ? [] : [`to        ${it.to}`]),
    `given up  ${it.at}, after ${it.tries} ${it.tries === 1 ? 'try' : 'tries'}`,
    `why       ${it.error}`,
    `next      ${it.next}`,
    '',
    it.text,
  ];
  context.printer.answer(it, lines.join('\n'));
}

export async function replayDead(context: Context, id: string | undefined, all: boolean): Promise<void> {
  if ((id === undefined) !== all) {
    throw new Failure('replay takes the id of one dead letter, or --all', 'See: halfdoor dead list', 2);
  }
  if (id === undefined) return replayAll(context);
  const it = await withHost(context, () => context.api.call<ReplayView>('POST', `/v1/dead/${pathStep(id)}/replay`));
  context.printer.answer(it, describe(it));
}

async function replayAll(context: Context): Promise<void> {
  const view = await withHost(context, () => context.api.call<ReplayAllView>('POST', '/v1/dead/replay'));
  const lines = [...view.replayed.map(describe), ...view.left.map(({ id, error }) => `${id} is left: ${error}`)];
  context.printer.answer(view, lines.length === 0 ? 'no dead letters' : lines.join('\n'));
  if (view.left.length > 0) process.exitCode = 1;
}

export async function dropDead(context: Context, id: string): Promise<void> {
  const it = await withHost(context, () => context.api.call<{ id: string }>('DELETE', `/v1/dead/${pathStep(id)}`));
  context.printer.answer(it, `dropped ${it.id}`);
}

function describe({ id, kind, replayedAs, mayBeDuplicate }: ReplayView): string {
  if (kind === 'message') return `${id} is taken up again as ${replayedAs}`;
  const marked = mayBeDuplicate ? '; an earlier attempt may have arrived, so it says that it may be a duplicate' : '';
  return `${id} is at the end of its queue${marked}`;
}

function firstLine(text: string): string {
  const [line = ''] = text.split('\n', 1);
  return line.length > ERROR_CHARS ? `${line.slice(0, ERROR_CHARS)}…` : line;
}
