/** Agents: made with their terminal chat, its wiring and the destination `terminal` in one transaction. */
import type { Durable } from '@halfdoor/protocol/durable';
import type { AgentInput, AgentView } from '../api/contract.ts';
import type { Central } from '../db/central.ts';
import type { Home } from '../home.ts';
import type { Ids } from '../ids.ts';
import { Refusal } from '../refusal.ts';
import type { Probe, SandboxKind } from '../sandboxes/sandbox.ts';
import { instructionsFile, makeAgentFolder } from './folder.ts';
import { checkInput } from './input.ts';

export type AgentsDeps = {
  central: Central;
  home: Home;
  ids: Ids;
  durable: Durable;
  now(): string;
  probe(kind: SandboxKind): Promise<Probe>;
};

/** Throws `Refusal`: bad input, a name that is taken, a sandbox that cannot run here. */
export async function createAgent(deps: AgentsDeps, input: AgentInput): Promise<AgentView> {
  const it = checkInput(input);
  await mustRun(deps, it.sandbox);
  const id = deps.ids();
  makeAgentFolder(deps, id, it.instructions);
  await deps.central.commit('agent', async (tx) => {
    const created_at = deps.now();
    const { instructions: _, ...row } = it;
    const taken = await tx.selectFrom('agents').select('id').where('name', '=', it.name).executeTakeFirst();
    if (taken) throw new Refusal('exists', `an agent named ${it.name} is there already`, 'Choose another name.');
    await tx
      .insertInto('agents')
      .values({ id, ...row, created_at })
      .execute();
    const chat_id = deps.ids();
    await tx
      .insertInto('chats')
      .values({ id: chat_id, channel: 'terminal', platform_id: it.name, created_at })
      .execute();
    const wiring = { chat_id, agent_id: id, engage: 'always' as const, session_mode: 'chat' as const, created_at };
    await tx.insertInto('wirings').values(wiring).execute();
    await tx
      .insertInto('agent_destinations')
      .values({ agent_id: id, local_name: 'terminal', target_type: 'chat', target_id: chat_id })
      .execute();
  });
  return getAgent(deps, it.name);
}

/** Throws `Refusal` where this sandbox cannot run. */
export async function mustRun(deps: Pick<AgentsDeps, 'probe'>, kind: SandboxKind): Promise<void> {
  const probe = await deps.probe(kind);
  if (!probe.ok) throw new Refusal('unavailable', `sandbox ${kind}: ${probe.fault}`, probe.next);
}

type Reads = Pick<AgentsDeps, 'central' | 'home'>;

/** Throws `Refusal` when there is none of this name. */
export async function getAgent(deps: Reads, name: string): Promise<AgentView> {
  const [found] = await views(deps, name);
  if (found) return found;
  const next = `See \`halfdoor agents list\`, or make it: halfdoor agents create ${name} --provider mock.`;
  throw new Refusal('not-found', `no agent named ${name}`, next);
}

export const listAgents = (deps: Reads): Promise<AgentView[]> => views(deps, null);

async function views(deps: Reads, name: string | null): Promise<AgentView[]> {
  const db = deps.central.read;
  const agents = db.selectFrom('agents').selectAll().where('deleted_at', 'is', null).orderBy('name');
  const rows = await (name === null ? agents : agents.where('name', '=', name)).execute();
  const destinations = db.selectFrom('agent_destinations').select(['agent_id', 'local_name']);
  const only =
    name === null
      ? destinations
      : destinations.where(
          'agent_id',
          'in',
          rows.map((row) => row.id),
        );
  const names = Map.groupBy(await only.execute(), (row) => row.agent_id);
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    provider: row.provider,
    model: row.model,
    baseUrl: row.base_url,
    api: row.api,
    sandbox: row.sandbox,
    key: row.key,
    instructionsFile: instructionsFile(deps.home, row.id),
    destinations: (names.get(row.id) ?? []).map((it) => it.local_name),
    createdAt: row.created_at,
  }));
}
