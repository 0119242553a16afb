/** From what could think to an agent that does. */
import type { AgentInput, AgentView, ModelsView } from '../../host/api/contract.ts';
import { pathStep } from '../api.ts';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import type { Candidate } from './candidates.ts';

/** Name of the first agent, unless told otherwise. */
export const FIRST_NAME = 'helper';

export const listAgents = ({ api }: Context): Promise<AgentView[]> => api.call('GET', '/v1/agents');

/** What its endpoint offers, newest first. Throws `Failure` with the host's words when that cannot be had, or is nothing. */
export async function modelsOf({ api }: Context, it: Candidate): Promise<string[]> {
  const input = { api: it.api, ...(it.baseUrl === null ? {} : { baseUrl: it.baseUrl }), key: it.key };
  const models = it.models ?? (await api.call<ModelsView>('POST', '/v1/models', input)).models.map((model) => model.id);
  if (models.length > 0) return models;
  throw new Failure(`${it.label} offers no model`, 'Bring it one (for example: ollama pull qwen3), then try again.');
}

/** Makes the agent, or gives the one of this name what it thinks with from now on. */
export async function makeAgent(
  context: Context,
  name: string,
  it: Candidate,
  model: string | null,
): Promise<AgentView> {
  const { api } = context;
  const thinks: Omit<AgentInput, 'name'> = {
    provider: it.provider,
    ...(model === null ? {} : { model }),
    ...(it.baseUrl === null ? {} : { baseUrl: it.baseUrl }),
    ...(it.api === null ? {} : { api: it.api, key: it.key }),
  };
  const isThere = (await listAgents(context)).some((agent) => agent.name === name);
  if (isThere) return api.call('PATCH', `/v1/agents/${pathStep(name)}`, thinks);
  return api.call('POST', '/v1/agents', { name, ...thinks });
}
