/** Changes an agent: what is named, with what is there as the rest. Its next run has it. */
import type { AgentInput, AgentPatch, AgentView } from '../api/contract.ts';
import { audit } from '../authority/audit.ts';
import type { Tx } from '../db/central.ts';
import { Refusal } from '../refusal.ts';
import { getAgent, mustRun, type AgentsDeps } from './agents.ts';
import { writeInstructions } from './folder.ts';
import { apiOf, checkInput, type Checked } from './input.ts';

/** The row as it stands, as far as a patch may change it. */
type Row = Omit<Checked, 'instructions'>;

export type UpdateDeps = AgentsDeps & { renew(agentId: string): void };

/** Throws `Refusal`: as for a new agent, and when there is none of this name. */
export async function updateAgent(
  deps: UpdateDeps,
  name: string,
  patch: AgentPatch,
  actor: string,
): Promise<AgentView> {
  if ('name' in patch) throw new Refusal('bad-input', 'a name cannot be changed', 'Make another agent.');
  const { id, baseUrl: base_url, ...rest } = await getAgent(deps, name);
  const it = checkInput(merged({ ...rest, base_url }, patch));
  if (patch.sandbox !== undefined) await mustRun(deps, it.sandbox);
  if (patch.instructions !== undefined) writeInstructions(deps, id, it.instructions);
  await deps.central.commit('agent', async (tx) => {
    await change(tx, id, name, patch);
    await audit(tx, { id: deps.ids(), at: deps.now(), actor, action: 'update_agent', target: name, agentId: id });
  });
  deps.renew(id);
  return getAgent(deps, name);
}

/** Merged again with the row as it is by now: two may change an agent at once. */
async function change(tx: Tx, id: string, name: string, patch: AgentPatch): Promise<void> {
  const row = await tx
    .selectFrom('agents')
    .select(['name', 'provider', 'model', 'base_url', 'api', 'sandbox', 'key'])
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
  if (!row) throw new Refusal('not-found', `no agent named ${name}`, 'See `halfdoor agents list`.');
  const { instructions: _, name: __, ...next } = checkInput(merged(row, patch));
  await tx.updateTable('agents').set(next).where('id', '=', id).execute();
}

/**
 * Protocol and key that were not said follow from the endpoint as they do for a new agent, where the endpoint changes: a
 * key never goes along to another one by itself.
 */
export function merged(before: Row, patch: AgentPatch): AgentInput {
  const model = patch.model ?? before.model ?? undefined;
  const baseUrl = (patch.baseUrl === undefined ? before.base_url : patch.baseUrl) ?? undefined;
  const moved = baseUrl !== (before.base_url ?? undefined) || (baseUrl === undefined && model !== before.model);
  const where = { ...(model !== undefined && { model }), ...(baseUrl !== undefined && { baseUrl }) };
  const api = patch.api ?? (moved ? null : before.api) ?? apiOf(where);
  const sameEndpoint = baseUrl === (before.base_url ?? undefined) && api === before.api;
  const key = patch.key === undefined && sameEndpoint ? before.key : patch.key;
  return {
    name: before.name,
    provider: patch.provider ?? before.provider,
    sandbox: patch.sandbox ?? before.sandbox,
    ...where,
    api,
    ...(key !== undefined && { key }),
    ...(patch.instructions !== undefined && { instructions: patch.instructions }),
  };
}
