/** Any endpoint that speaks Anthropic's or OpenAI's protocol, with a loop of our own around it. */
import type { AgentProvider, ProviderDeps } from '../provider.ts';
import { BadConversation } from './conversation.ts';
import { openModel } from './model.ts';
import { DirectQuery } from './query.ts';

/** Throws when the agent has no model: such an agent cannot be made. */
export function directProvider(deps: ProviderDeps): AgentProvider {
  const { api, model, netSocket } = deps;
  if (api === null || model === null) throw new Error('provider direct needs a model and its protocol');
  const opened = openModel({ api, model, netSocket });
  return {
    supportsNativeSlashCommands: false,
    query: (input) => new DirectQuery(deps, opened, input),
    isSessionInvalid: (error) => error instanceof BadConversation,
  };
}
