/** Whether each agent's model answers: asked by the host that runs, with the key that it would use, for one token. */
import type { AgentView, CheckView, SecretView } from '../../host/api/contract.ts';
import type { Check, Found } from '../../host/doctor/check.ts';
import { pathStep } from '../api.ts';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { askStatus } from '../start-host.ts';

export const models = (context: Context): Check => ({
  name: 'the models of the agents',
  look: async () => {
    const status = await askStatus(context);
    if (!status) return { fine: 'no host runs, so no model was asked; with one: ./halfdoor start --detach', found: [] };
    const agents = await context.api.call<AgentView[]>('GET', '/v1/agents');
    const thinking = agents.filter(({ model }) => model !== null);
    const names = await secretNames(context);
    const found = await Promise.all(thinking.map((agent) => lookAtOne(context, agent, names)));
    return { fine: `${thinking.length} models answered`, found: found.flat() };
  },
});

/** null where the host knows no secrets. */
async function secretNames(context: Context): Promise<readonly string[] | null> {
  try {
    return (await context.api.call<SecretView[]>('GET', '/v1/secrets')).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Failure) return null;
    throw error;
  }
}

async function lookAtOne(context: Context, agent: AgentView, names: readonly string[] | null): Promise<Found[]> {
  const found = judgeKey(agent, names);
  return found.length > 0 ? found : judgeCheck(agent.name, await check(context, agent.name));
}

/** A secret that an agent's model is given must be there; without it no call is worth a try. */
export function judgeKey({ name, key }: Pick<AgentView, 'name' | 'key'>, names: readonly string[] | null): Found[] {
  if (!key || names === null || names.includes(key)) return [];
  const what = `Agent ${name} gives its model the secret ${key}, and there is none of this name.`;
  return [{ id: `key-missing:${name}`, severity: 'broken', what, next: `./halfdoor secrets set ${key}` }];
}

async function check(context: Context, name: string): Promise<CheckView> {
  try {
    return await context.api.call<CheckView>('POST', `/v1/agents/${pathStep(name)}/check`);
  } catch (error) {
    if (error instanceof Failure) return { ok: false, fault: error.message, next: error.next };
    throw error;
  }
}

/** The host's words, made one sentence each. */
export function judgeCheck(agent: string, it: CheckView): Found[] {
  if (it.ok) return [];
  const what = `The model of agent ${agent} does not answer: ${it.fault.replace(/\.$/, '')}.`;
  return [{ id: `model:${agent}`, severity: 'broken', what, next: it.next }];
}
