/** What a model endpoint offers. Wire: GET /v1/models of docs.anthropic.com and of platform.openai.com. */
import type { ModelsInput, ModelsView } from '../api/contract.ts';
import { ask, type AskDeps } from '../egress/ask.ts';
import { endpointOf } from '../egress/endpoint.ts';
import { failureOf } from '../outbound/failure.ts';
import { Refusal } from '../refusal.ts';
import { checkApi, checkEndpoint } from './input.ts';

const MODELS_SHOWN = 200;
const DEADLINE_MS = 10_000;
const ID_CHARS = 200;

type Model = ModelsView['models'][number];

/** Newest first. Throws `Refusal`: bad input, and 'unavailable' with what kept the endpoint from answering. */
export async function listModels(deps: AskDeps, input: ModelsInput): Promise<ModelsView> {
  const api = checkApi(input.api);
  const { base_url, key } = checkEndpoint(api, input.baseUrl, input.key);
  const endpoint = endpointOf(api, base_url, key);
  const url = new URL(`${endpoint.baseUrl}/models`);
  // Anthropic's shows 20 unless asked for more.
  if (api === 'anthropic') url.searchParams.set('limit', String(MODELS_SHOWN));
  const answer = await ask(deps, endpoint, { url, method: 'GET', deadlineMs: DEADLINE_MS });
  const models = answer.ok ? modelsIn(answer.body) : null;
  if (models !== null) return { models };
  // Refused as no other request is, or answered with something else: what lies there is not what was looked for.
  if (answer.ok || answer.reason.startsWith('model: ')) throw noList(url);
  const { error, next } = failureOf(answer.reason, 'Then ask again.');
  throw new Refusal('unavailable', error, next);
}

const noList = (url: URL): Refusal =>
  new Refusal(
    'unavailable',
    `${url.origin}${url.pathname} is no list of models`,
    'Check the base URL; it usually ends with /v1. An endpoint without a list works too: give the model by its name.',
  );

/** Null for what is no list. Entries that are no models are left out. */
function modelsIn(body: unknown): Model[] | null {
  const data = typeof body === 'object' && body !== null ? (body as { data?: unknown }).data : null;
  if (!Array.isArray(data)) return null;
  const models = data.flatMap((it: unknown) => modelOf(it) ?? []);
  const newestFirst = models.toSorted((a, b) => (b.createdAt ?? '').localeCompare(a.createdAt ?? ''));
  return newestFirst.slice(0, MODELS_SHOWN);
}

function modelOf(it: unknown): Model | null {
  if (typeof it !== 'object' || it === null) return null;
  const { id, created, created_at } = it as Record<string, unknown>;
  if (typeof id !== 'string' || id === '' || id.length > ID_CHARS) return null;
  return { id, createdAt: timeOf(typeof created === 'number' ? created * 1000 : created_at) };
}

/** Null for no time and for one before there were models: some servers say 0. */
function timeOf(time: unknown): string | null {
  if (typeof time !== 'string' && typeof time !== 'number') return null;
  const at = new Date(time);
  return at.getTime() > 0 && at.getUTCFullYear() < 10_000 ? at.toISOString() : null;
}
