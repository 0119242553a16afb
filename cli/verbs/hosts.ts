import type { HostRuleView, HostsView, RefusedHostView } from '../../host/api/egress-contract.ts';
import { pathStep } from '../api.ts';
import type { Context } from '../context.ts';
import { table } from '../printer.ts';
import { withHost } from '../reach.ts';
import { ensureHost } from '../start-host.ts';

const HOST_REASONS: readonly string[] = ['not-allowed', 'revoked'];

/** Starts a host if none runs. */
export async function allowHost(context: Context, agent: string, host: string): Promise<void> {
  await ensureHost(context);
  const view = await call(context, 'PUT', agent, { host });
  context.printer.answer(view, `${agent} may reach ${rulesOf(view)}, from its next request on`);
  if (host === 'web') {
    const all = `web is every public host on port 443: ${agent} can fetch from anywhere, and send anywhere what it sees.`;
    context.printer.note(`${all}\nTake it back: ./halfdoor agents deny ${agent} web`);
  }
}

export async function denyHost(context: Context, agent: string, host: string): Promise<void> {
  const view = await call(context, 'DELETE', agent, { host });
  const left = view.rules.length === 0 ? 'no host any more' : `only ${rulesOf(view)} any more`;
  context.printer.answer(view, `${agent} may reach ${left}; connections to what is not among them have ended`);
}

export async function listHosts(context: Context, agent: string): Promise<void> {
  const view = await call(context, 'GET', agent);
  const rules = view.rules.map((it) => [it.rule, hostsOf(it)]);
  const none = `${agent} may reach no host; allow one: ./halfdoor agents allow ${agent} HOST|PRESET (${view.presets.join(', ')})`;
  const allowed = rules.length === 0 ? none : table([['ALLOWED', 'HOSTS'], ...rules]);
  context.printer.answer(view, [allowed, ...refusedLately(view)].join('\n'));
}

function refusedLately({ agent, refused }: HostsView): string[] {
  if (refused.length === 0) return [];
  const rows = refused.map((it) => [it.host || '-', it.reason, String(it.times), it.at]);
  const open = refused.find((it) => isHost(it));
  const next = open === undefined ? [] : [`Allow one: ./halfdoor agents allow ${agent} ${open.host}`];
  return ['', table([['REFUSED', 'WHY', 'TIMES', 'LAST'], ...rows]), ...next];
}

const hostsOf = ({ hosts }: HostRuleView): string =>
  hosts === null ? 'every public host' : hosts.join(' ') || 'the search endpoint, see ./halfdoor search show';
const isHost = ({ host, reason }: RefusedHostView): boolean => host !== '' && HOST_REASONS.includes(reason);
const rulesOf = ({ rules }: HostsView): string => rules.map((it) => it.rule).join(', ');

const call = (context: Context, method: 'GET' | 'PUT' | 'DELETE', agent: string, body?: object): Promise<HostsView> =>
  withHost(context, () => context.api.call<HostsView>(method, `/v1/agents/${pathStep(agent)}/hosts`, body));
