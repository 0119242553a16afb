/** What an owner says of an agent, checked whole before anything is done. */
import { LIMITS } from '@halfdoor/protocol/limits';
import type { ModelApi } from '@halfdoor/protocol/message';
import type { AgentInput } from '../api/contract.ts';
import { mayCarryKey, ownKeyOf } from '../egress/endpoint.ts';
import { Refusal } from '../refusal.ts';
import { SANDBOX_KINDS, type SandboxKind } from '../sandboxes/sandbox.ts';
import { checkName } from '../secrets/secret-text.ts';

/** Less than a row that names it may hold. */
const MODEL_BYTES = 200;

export const PROVIDERS = ['mock', 'direct', 'demo'] as const;
const INSTRUCTIONS_BYTES = 64 * 1024;

/** A row of agents but for its id, and its instructions. */
export type Checked = {
  name: string;
  provider: string;
  model: string | null;
  base_url: string | null;
  api: ModelApi | null;
  sandbox: SandboxKind;
  key: string | null;
  instructions: string;
};

function bad(message: string, next: string): never {
  throw new Refusal('bad-input', message, next);
}

/** Throws `Refusal`. */
export function checkInput(input: AgentInput): Checked {
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
  const common = { name, provider, sandbox, instructions };
  if (provider !== 'direct') return { ...common, model: null, base_url: null, api: null, key: null };
  if (typeof input.model !== 'string' || input.model === '')
    bad('provider direct needs a model', 'Name one with --model.');
  if (Buffer.byteLength(input.model) > MODEL_BYTES || /\p{Cc}/u.test(input.model)) {
    bad(`a model's name is at most ${MODEL_BYTES} bytes of one line`, 'Give it as the endpoint lists it.');
  }
  const api = apiOf(input);
  return { ...common, model: input.model, api, ...checkEndpoint(api, input.baseUrl, input.key) };
}

/** Where a model is asked and which secret goes along. Throws `Refusal`. */
export function checkEndpoint(
  api: ModelApi,
  baseUrl: string | undefined,
  key: string | null | undefined,
): { base_url: string | null; key: string | null } {
  const base_url = checkBaseUrl(baseUrl);
  const named = key === undefined ? ownKeyOf(api, base_url) : key === null ? null : checkName(key);
  if (named === null || base_url === null || mayCarryKey(base_url)) return { base_url, key: named };
  return bad(
    `the base URL would carry the secret ${named} in the clear beyond this network`,
    'Give an https address, an address of this machine or its private network, or no key (--no-key).',
  );
}

function checkBaseUrl(baseUrl: string | undefined): string | null {
  if (baseUrl === undefined) return null;
  const url = typeof baseUrl === 'string' && URL.canParse(baseUrl) ? new URL(baseUrl) : null;
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.username || url.password || url.search || url.hash) {
    return bad('the base URL is not a plain http or https address', 'Give one like http://127.0.0.1:11434/v1.');
  }
  return baseUrl;
}

/** The protocol a model endpoint speaks, where it was not said: Anthropic's for its own host and models. */
export function apiOf(input: Pick<AgentInput, 'api' | 'baseUrl' | 'model'>): ModelApi {
  if (input.api !== undefined) return checkApi(input.api);
  const looksLikeAnthropic =
    /anthropic/i.test(input.baseUrl ?? '') || (!input.baseUrl && /^claude/i.test(input.model ?? ''));
  return looksLikeAnthropic ? 'anthropic' : 'openai';
}

/** Throws `Refusal`. */
export function checkApi(api: unknown): ModelApi {
  if (api === 'anthropic' || api === 'openai') return api;
  return bad(`no protocol named ${JSON.stringify(api)}`, 'Protocols: anthropic, openai.');
}
