import type { StatusView } from '../../host/api/contract.ts';
import type { Context } from '../context.ts';
import { notRunning } from '../failure.ts';
import { askStatus } from '../start-host.ts';

/** What the host says of itself. Throws `Failure` with exit code 3 when none runs. */
export async function status(context: Context): Promise<void> {
  const found = await askStatus(context);
  if (!found) throw notRunning(context.home);
  context.printer.answer(found, describe(found));
}

function channelLine({ name, state, lastError, strangers }: StatusView['channels'][number]): string {
  const error = lastError && state !== 'connected' ? ` (${lastError.text})` : '';
  const turned = strangers ? `; ${strangers.messages} messages of strangers turned away` : '';
  return `channel   ${name} ${state}${error}${turned}`;
}

function describe(it: StatusView): string {
  const sandboxes = it.sandboxes.map(
    ({ kind, ok, fault, next }) =>
      `${kind} ${ok ? (kind === 'process' ? 'ok (no wall, for tests only)' : 'ok') : `cannot run: ${fault}. ${next}`}`,
  );
  return [
    `host      ${it.version}, pid ${it.pid}, since ${it.startedAt}`,
    `home      ${it.home}`,
    ...sandboxes.map((line) => `sandbox   ${line}`),
    `reader    ${it.reader.walled ? 'behind its own wall' : 'WITHOUT a wall of its own'}`,
    ...it.channels.map(channelLine),
    `agents    ${it.agents}`,
    `sessions  ${it.sessions.total}, ${it.sessions.awake} awake, ${it.sessions.waiting} waiting`,
    `open      ${it.open.messages} messages, ${it.open.deliveries} deliveries, ${it.open.dead} dead`,
  ].join('\n');
}
