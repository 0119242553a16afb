/** The model behind the session's socket, in the protocol its endpoint speaks. The key is the host's and never comes here. */
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import type { LanguageModel } from 'ai';

/** Any host name would do: what is asked goes to the socket. */
const BASE_URL = 'http://model/v1';
/** The clients want a key; the host drops it and adds its own. */
const NO_KEY = 'held-by-the-host';
/** What a model that the Anthropic client does not know may write at once; it knows the limits of the others. */
const UNKNOWN_MODEL_TOKENS = 8192;

export type Endpoint = { api: 'anthropic' | 'openai'; model: string; netSocket: string };

export type Model = { language: LanguageModel; maxOutputTokens: number | undefined };

export function openModel({ api, model, netSocket }: Endpoint): Model {
  // A local model may need minutes for its first token: only the host and the person decide when it has been too long.
  const overSocket = (input: string | URL | Request, init?: RequestInit): Promise<Response> =>
    fetch(input, { ...init, unix: netSocket, timeout: false } as BunFetchRequestInit);
  const settings = { baseURL: BASE_URL, apiKey: NO_KEY, fetch: overSocket as typeof fetch };
  if (api === 'anthropic') {
    const maxOutputTokens = model.includes('claude-') ? undefined : UNKNOWN_MODEL_TOKENS;
    return { language: createAnthropic(settings)(model), maxOutputTokens };
  }
  const endpoint = createOpenAICompatible({ ...settings, name: 'endpoint', includeUsage: true });
  return { language: endpoint(model), maxOutputTokens: undefined };
}
