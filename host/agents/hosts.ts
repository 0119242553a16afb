/** Which hosts an agent may reach: what an owner allows and takes back, and what was refused lately. */
import { LIMITS } from '@halfdoor/protocol/limits';
import type { HostsView, RefusedHostView } from '../api/egress-contract.ts';
import { audit } from '../authority/audit.ts';
import type { Central } from '../db/central.ts';
import { isPreset, PRESET_HOSTS, PRESETS, SEARCH } from '../egress/presets.ts';
import { parseRule } from '../egress/rules.ts';
import type { WayOut } from '../egress/way-out.ts';
import type { Home } from '../home.ts';
import type { Ids } from '../ids.ts';
import { Refusal } from '../refusal.ts';
import { getAgent } from './agents.ts';

export type HostsDeps = { central: Central; home: Home; ids: Ids; now(): string; wayOut: Pick<WayOut, 'recheck'> };

const REFUSED_SHOWN = 20;

/** Throws `Refusal` when there is no agent of this name. */
export async function listHosts(deps: Pick<HostsDeps, 'central' | 'home'>, name: string): Promise<HostsView> {
  const { id } = await getAgent(deps, name);
  const rows = await deps.central.read
    .selectFrom('egress_rules')
    .selectAll()
    .where('agent_id', '=', id)
    .orderBy('rule')
    .execute();
  const rules = rows.map((row) => ({
    rule: row.rule,
    allowedAt: row.allowed_at,
    allowedBy: row.allowed_by,
    hosts: hostsOf(row.rule),
  }));
  return { agent: name, rules, presets: [...PRESETS], refused: await refusedLately(deps.central, id) };
}

const hostsOf = (rule: string): string[] | null =>
  !isPreset(rule) ? [rule] : rule === 'web' ? null : rule === SEARCH ? [] : [...PRESET_HOSTS[rule]];

/** Each host once. */
async function refusedLately(central: Central, agentId: string): Promise<RefusedHostView[]> {
  const rows = await central.read
    .selectFrom('egress_log')
    .select(['host', 'reason', 'times', 'at'])
    .where('agent_id', '=', agentId)
    .where('verdict', '=', 'deny')
    .orderBy('n', 'desc')
    .limit(LIMITS.egressRowsPerAgent)
    .execute();
  const known = new Map<string, RefusedHostView>();
  for (const row of rows) {
    const key = `${row.host} ${row.reason}`;
    const newer = known.get(key);
    if (newer) newer.times += row.times;
    else if (known.size < REFUSED_SHOWN) known.set(key, { ...row });
  }
  return [...known.values()];
}

/** Holds from the next request on. Throws `Refusal`. */
export async function allowHost(deps: HostsDeps, name: string, given: unknown, actor: string): Promise<HostsView> {
  const rule = checkRule(given);
  const { id: agent_id } = await getAgent(deps, name);
  await deps.central.commit('egress-rule', async (tx) => {
    const rows = await tx.selectFrom('egress_rules').select('rule').where('agent_id', '=', agent_id).execute();
    if (rows.some((row) => row.rule === rule)) return;
    if (rows.length >= LIMITS.hostsPerAgent) {
      const next = `Take some back: ./halfdoor agents deny ${name} HOST, or allow what lies below a name: *.example.com.`;
      throw new Refusal('bad-input', `${name} has ${LIMITS.hostsPerAgent} rules already`, next);
    }
    const at = deps.now();
    await tx.insertInto('egress_rules').values({ agent_id, rule, allowed_at: at, allowed_by: actor }).execute();
    await audit(tx, { id: deps.ids(), at, actor, action: 'hosts.allow', target: rule, agentId: agent_id });
  });
  return listHosts(deps, name);
}

/** Connections to what no rule names any more have ended when this resolves. Throws `Refusal`. */
export async function denyHost(deps: HostsDeps, name: string, given: unknown, actor: string): Promise<HostsView> {
  const rule = checkRule(given);
  const { id: agentId } = await getAgent(deps, name);
  await deps.central.commit('egress-rule', async (tx) => {
    const { numDeletedRows } = await tx
      .deleteFrom('egress_rules')
      .where('agent_id', '=', agentId)
      .where('rule', '=', rule)
      .executeTakeFirstOrThrow();
    if (numDeletedRows === 0n) {
      throw new Refusal('not-found', `${name} has no rule ${rule}`, `See \`./halfdoor agents hosts ${name}\`.`);
    }
    await audit(tx, { id: deps.ids(), at: deps.now(), actor, action: 'hosts.deny', target: rule, agentId });
  });
  await deps.wayOut.recheck(agentId);
  return listHosts(deps, name);
}

function checkRule(given: unknown): string {
  const rule = typeof given === 'string' ? parseRule(given) : null;
  if (rule !== null) return rule;
  throw new Refusal(
    'bad-input',
    'that is no host and no preset',
    `Give a name like registry.npmjs.org, *.example.com for all below it, or one of ${PRESETS.join(', ')}. Ports, paths and addresses are not part of it.`,
  );
}
