/** Agents: made with their terminal chat, its wiring and the destination `terminal` in one transaction. */
import { mkdirSync, openSync, closeSync, fsyncSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Durable } from '@halfdoor/protocol/durable';
import { LIMITS } from '@halfdoor/protocol/limits';
import type { ModelApi } from '@halfdoor/protocol/message';
import type { AgentInput, AgentView } from '../api/contract.ts';
import type { Central } from '../db/central.ts';
import type { Home } from '../home.ts';
import type { Ids } from '../ids.ts';
import { Refusal } from '../refusal.ts';
import { SANDBOX_KINDS, type Probe, type SandboxKind } from '../sandboxes/sandbox.ts';

export const PROVIDERS = ['demo', 'direct', 'mock'] as const;
const INSTRUCTIONS_BYTES = 64 * 1024;

export type AgentsDeps = {
  central: Central;
  home: Home;
  ids: Ids;
  durable: Durable;
  now(): string;
  probe(kind: SandboxKind): Promise<Probe>;
};

export const agentDir = (home: Home, agentId: string): string => join(home.agents, agentId);

type Checked = {
  name: string;
  provider: string;
  model: string | null;
  base_url: string | null;
  api: ModelApi | null;
  sandbox: SandboxKind;
  instructions: string;
};

/** Throws `Refusal`: bad input, a name that is taken, a sandbox that cannot run here. */
export async function createAgent(deps: AgentsDeps, input: AgentInput): Promise<AgentView> {
  const it = checkInput(input);
  const probe = await deps.probe(it.sandbox);
  if (!probe.ok) throw new Refusal('unavailable', `sandbox ${it.sandbox}: ${probe.fault}`, probe.next);
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

function makeAgentFolder(deps: AgentsDeps, id: string, instructions: string): void {
  const dir = agentDir(deps.home, id);
  deps.durable('session-folder', () => {
    mkdirSync(join(dir, 'memory'), { recursive: true, mode: 0o700 });
    const path = join(dir, 'instructions.md');
    writeFileSync(path, instructions, { mode: 0o600, flush: true });
    for (const folder of [dir, deps.home.agents]) {
      const fd = openSync(folder, 'r');
      fsyncSync(fd);
      closeSync(fd);
    }
  });
}

function bad(message: string, next: string): never {
  throw new Refusal('bad-input', message, next);
}

function checkInput(input: AgentInput): Checked {
  if (typeof input.name !== 'string' || !/^[a-z][a-z0-9-]*$/.test(input.name) || input.name.length > LIMITS.nameChars) {
    bad(
      `an agent's name is 1 to ${LIMITS.nameChars} small letters, digits and dashes, beginning with a letter`,
      'Choose a name like "helper".',
    );
  }
  if (!PROVIDERS.some((known) => known === input.provider)) {
    bad(`no provider named ${JSON.stringify(input.provider)}`, `Providers here: ${PROVIDERS.join(', ')}.`);
  }
  const sandbox = input.sandbox ?? 'bubblewrap';
  if (!SANDBOX_KINDS.some((known) => known === sandbox)) {
    bad(`no sandbox named ${JSON.stringify(sandbox)}`, `Sandboxes: ${SANDBOX_KINDS.join(', ')}.`);
  }
  const instructions = input.instructions ?? '';
  if (typeof instructions !== 'string' || Buffer.byteLength(instructions) > INSTRUCTIONS_BYTES) {
    bad(`instructions are text of at most ${INSTRUCTIONS_BYTES} bytes`, 'Shorten them.');
  }
  const { name, provider } = input;
  if (provider !== 'direct') return { name, provider, model: null, base_url: null, api: null, sandbox, instructions };
  if (!input.model) bad('provider direct needs a model', 'Name one with --model.');
  return {
    name,
    provider,
    model: input.model,
    base_url: checkBaseUrl(input.baseUrl),
    api: apiOf(input),
    sandbox,
    instructions,
  };
}

function checkBaseUrl(baseUrl: string | undefined): string | null {
  if (baseUrl === undefined) return null;
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : null;
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.username || url.password || url.search || url.hash) {
    return bad('the base URL is not a plain http or https address', 'Give one like http://127.0.0.1:11434/v1.');
  }
  return baseUrl;
}

/** The protocol a model endpoint speaks, where it was not said: Anthropic's for its own host and models. */
function apiOf(input: AgentInput): ModelApi {
  if (input.api === 'anthropic' || input.api === 'openai') return input.api;
  if (input.api !== undefined) bad(`no protocol named ${JSON.stringify(input.api)}`, 'Protocols: anthropic, openai.');
  const looksLikeAnthropic =
    /anthropic/i.test(input.baseUrl ?? '') || (!input.baseUrl && /^claude/i.test(input.model ?? ''));
  return looksLikeAnthropic ? 'anthropic' : 'openai';
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
  const agents = db.selectFrom('agents').selectAll().orderBy('name');
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
    instructionsFile: join(agentDir(deps.home, row.id), 'instructions.md'),
    destinations: (names.get(row.id) ?? []).map((it) => it.local_name),
    createdAt: row.created_at,
  }));
}
