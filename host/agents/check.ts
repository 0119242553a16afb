/** Whether an agent's model answers: one real call for one token, by the same endpoint and key as its runs. */
import type { AgentView, CheckView } from '../api/contract.ts';
import { ask, type Answered, type AskDeps } from '../egress/ask.ts';
import { endpointOf, modelUrl, type ModelEndpoint } from '../egress/endpoint.ts';
import { failureOf } from '../outbound/failure.ts';
import { getAgent, type AgentsDeps } from './agents.ts';

/** A model on a small machine is read from the disk first. */
const DEADLINE_MS = 60_000;

/** Throws `Refusal` when there is no such agent. A provider without a model needs no check. */
export async function checkAgent(
  deps: AskDeps & Pick<AgentsDeps, 'central' | 'home'>,
  name: string,
): Promise<CheckView> {
  const { api, baseUrl, key, model }: AgentView = await getAgent(deps, name);
  if (api === null || model === null) return { ok: true, ms: 0 };
  const began = deps.clock.now().getTime();
  const answer = await oneToken(deps, endpointOf(api, baseUrl, key), model);
  if (answer.ok || spentItsToken(answer)) return { ok: true, ms: deps.clock.now().getTime() - began };
  const { error, next } = failureOf(answer.reason, 'Then ask again.');
  return { ok: false, fault: error, next };
}

async function oneToken(deps: AskDeps, endpoint: ModelEndpoint, model: string): Promise<Answered> {
  const messages = [{ role: 'user', content: 'Hello' }];
  const call = (limit: object): Promise<Answered> =>
    ask(deps, endpoint, {
      url: modelUrl(endpoint),
      method: 'POST',
      body: { model, messages, ...limit },
      deadlineMs: DEADLINE_MS,
    });
  const answer = await call({ max_tokens: 1 });
  // OpenAI's newer models know the limit by this name only.
  const renamed = !answer.ok && answer.status === 400 && answer.said.includes('max_completion_tokens');
  return renamed && endpoint.api === 'openai' ? call({ max_completion_tokens: 1 }) : answer;
}

/** A model that thinks first has used its one token up before it said anything: OpenAI's answer that with a 400. */
const spentItsToken = (answer: Answered): boolean =>
  !answer.ok && answer.status === 400 && /output limit was reached/i.test(answer.said);
