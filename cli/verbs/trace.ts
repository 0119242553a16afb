import type { TraceHop, TraceView } from '../../host/api/operator-contract.ts';
import { pathStep } from '../api.ts';
import type { Context } from '../context.ts';
import { withHost } from '../reach.ts';

/** Lines of what was written that are shown; with --json all of it. */
const BODY_LINES = 8;
const LINE_CHARS = 160;

/** Every step of a message and where it stands now. `id` may be the beginning of one. */
export async function trace(context: Context, id: string): Promise<void> {
  const view = await withHost(context, () => context.api.call<TraceView>('GET', `/v1/trace/${pathStep(id)}`));
  const { now } = view;
  const lines = [
    `message ${view.id}`,
    ...view.hops.flatMap(linesOf),
    '',
    `Now: ${now.text}`,
    ...(now.next === null ? [] : [`Next: ${now.next}`]),
  ];
  context.printer.answer(view, lines.join('\n'));
}

function linesOf(hop: TraceHop): string[] {
  const offset = hop.afterMs === null ? '' : `+${(hop.afterMs / 1000).toFixed(3)} s`;
  const head = `${offset.padStart(12)}  ${(hop.at ?? '').padEnd(24)}  ${hop.what.padEnd(11)}  ${hop.text}`;
  return [head, ...(hop.body === undefined ? [] : shortened(hop.body))];
}

function shortened(body: string): string[] {
  const lines = body.trimEnd().split('\n');
  const shown = lines
    .slice(0, BODY_LINES)
    .map((line) => (line.length > LINE_CHARS ? `${line.slice(0, LINE_CHARS)}…` : line));
  if (lines.length > BODY_LINES) shown.push(`… ${lines.length - BODY_LINES} lines more; all of it: --json`);
  return shown.map((line) => `${' '.repeat(53)}| ${line}`);
}
