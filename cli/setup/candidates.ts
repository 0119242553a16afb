/** What could think for the first agent, best first, and why. Decides; asks nobody. */
import type { SecretView } from '../../host/api/contract.ts';
import type { LocalServer } from './local-models.ts';

export type Api = 'anthropic' | 'openai';

export type Candidate = {
  id: 'anthropic' | 'openai' | LocalServer['id'] | 'demo';
  label: string;
  provider: 'direct' | 'demo';
  api: Api | null;
  baseUrl: string | null;
  /** Name of the secret that its endpoint is given. */
  key: string | null;
  /** Known already; null: the host asks the endpoint. */
  models: string[] | null;
  /** Completes "Using it, since …". */
  because: string;
};

type Env = Readonly<Record<string, string | undefined>>;

export const KEYS: Readonly<Record<Api, string>> = { anthropic: 'ANTHROPIC_API_KEY', openai: 'OPENAI_API_KEY' };
const BASES: Readonly<Record<Api, string>> = { anthropic: 'ANTHROPIC_BASE_URL', openai: 'OPENAI_BASE_URL' };
const LABELS: Readonly<Record<Api, string>> = { anthropic: 'Anthropic', openai: 'OpenAI' };

export const DEMO: Candidate = {
  id: 'demo',
  label: 'the demo, a script that shows what an agent can do',
  provider: 'demo',
  api: null,
  baseUrl: null,
  key: null,
  models: null,
  because: 'no key is set and no local model was found',
};

/** Keys first, in the environment or kept; then what runs on this machine and has a model; the demo last. Never empty. */
export function candidates(env: Env, secrets: readonly SecretView[], local: readonly LocalServer[]): Candidate[] {
  const keyed = (['anthropic', 'openai'] as const).flatMap((api) => {
    const name = KEYS[api];
    const isSet = Boolean(env[name]);
    if (!isSet && !secrets.some((it) => it.name === name)) return [];
    const baseUrl = env[BASES[api]] || null;
    return [{ ...byKey(api, baseUrl), because: isSet ? `${name} is set` : `a key is kept as ${name}` }];
  });
  const running = local.filter((it) => it.models.length > 0).map(byServer);
  return [...keyed, ...running, DEMO];
}

const byKey = (api: Api, baseUrl: string | null): Omit<Candidate, 'because'> => ({
  id: api,
  label: baseUrl === null ? LABELS[api] : `${LABELS[api]}'s protocol at ${baseUrl}`,
  provider: 'direct',
  api,
  baseUrl,
  key: KEYS[api],
  models: null,
});

const byServer = ({ id, name, baseUrl, models }: LocalServer): Candidate => ({
  id,
  label: name,
  provider: 'direct',
  api: 'openai',
  baseUrl,
  key: null,
  models,
  because: `${name} runs on this machine`,
});

/** Not for conversation, whatever else they are good at. */
const OTHER_USE =
  /embed|whisper|tts|audio|realtime|dall-e|image|moderation|transcribe|search|instruct|babbage|davinci|codex/i;

/** The one to begin with: of a kind that answers well at a fair price where the endpoint has such, else the newest. */
export function preferredModel(api: Api, models: readonly string[]): string | null {
  const fit = models.filter((id) => !OTHER_USE.test(id));
  const wanted = api === 'anthropic' ? /sonnet/i : /^gpt-[\d.]+(-\d{4}-\d\d-\d\d)?$/;
  return fit.find((id) => wanted.test(id)) ?? fit[0] ?? models[0] ?? null;
}
