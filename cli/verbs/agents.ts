import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { AgentInput, AgentPatch, AgentView, CheckView, SecretView } from '../../host/api/contract.ts';
import { pathStep } from '../api.ts';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { table } from '../printer.ts';
import { withHost } from '../reach.ts';
import { ensureSandboxTools } from '../sandbox-tools.ts';
import { ensureHost } from '../start-host.ts';

/** `key` false: --no-key. `instructions` is a file, read here. */
type ModelOptions = { model?: string; api?: 'anthropic' | 'openai'; key?: string | false; instructions?: string };

export type CreateOptions = ModelOptions & {
  provider: string;
  baseUrl?: string;
  sandbox: 'bubblewrap' | 'docker' | 'process';
};

/** `baseUrl` false: --no-base-url. */
export type ChangeOptions = ModelOptions & {
  provider?: string;
  baseUrl?: string | false;
  sandbox?: 'bubblewrap' | 'docker' | 'process';
};

/** Starts a host if none runs. */
export async function createAgent(context: Context, name: string, options: CreateOptions): Promise<void> {
  const input: AgentInput = { name, ...asInput(context, options) };
  if (options.sandbox === 'bubblewrap') await ensureSandboxTools(context, true);
  await ensureHost(context);
  const made = await withHost(context, () => context.api.call<AgentView>('POST', '/v1/agents', input));
  context.printer.answer(made, `made ${describe(made)}\nTalk to it: ./halfdoor chat ${made.name}`);
  await missKey(context, made);
}

/** It can be made before its key is there; but whoever made it should not learn that from its first answer. */
async function missKey(context: Context, { key }: AgentView): Promise<void> {
  if (key === null) return;
  const secrets = await context.api.call<SecretView[]>('GET', '/v1/secrets');
  if (!secrets.some((it) => it.name === key)) {
    context.printer.note(`It has no key yet: ./halfdoor secrets set ${key}`);
  }
}

type Said = Pick<AgentInput, 'key' | 'instructions'>;

/** Options in the form of the API. */
function asInput<T extends ModelOptions>(
  context: Context,
  { key, instructions: file, ...rest }: T,
): Omit<T, keyof Said> & Said {
  return {
    ...rest,
    ...(key !== undefined && { key: key === false ? null : key }),
    ...(file !== undefined && { instructions: readInstructions(resolve(context.cwd, file)) }),
  };
}

/** At least one option must be named. */
export async function updateAgent(context: Context, name: string, options: ChangeOptions): Promise<void> {
  if (Object.keys(options).length === 0) {
    throw new Failure('nothing to change was named', 'See: ./halfdoor agents update --help', 2);
  }
  const { baseUrl, ...rest } = options;
  const where = baseUrl === undefined ? {} : { baseUrl: baseUrl === false ? null : baseUrl };
  const patch: AgentPatch = { ...asInput(context, rest), ...where };
  if (options.sandbox === 'bubblewrap') await ensureSandboxTools(context, true);
  const path = `/v1/agents/${pathStep(name)}`;
  const changed = await withHost(context, () => context.api.call<AgentView>('PATCH', path, patch));
  context.printer.answer(changed, `changed ${describe(changed)}`);
}

/** Throws `Failure` with what keeps the model from answering. */
export async function checkAgent(context: Context, name: string): Promise<void> {
  const path = `/v1/agents/${pathStep(name)}/check`;
  const checked = await withHost(context, () => context.api.call<CheckView>('POST', path));
  if (!checked.ok) throw new Failure(checked.fault, checked.next);
  context.printer.answer(checked, `${name} answers (${checked.ms} ms)`);
}

function readInstructions(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Failure(
      `the instructions cannot be read: ${(error as Error).message}`,
      'Give --instructions a file of text.',
      2,
    );
  }
}

export async function listAgents(context: Context): Promise<void> {
  const agents = await withHost(context, () => context.api.call<AgentView[]>('GET', '/v1/agents'));
  const rows = agents.map((it) => [it.name, it.provider, it.model ?? '-', it.sandbox, it.createdAt]);
  const none = 'no agents yet; make one: ./halfdoor agents create NAME --provider mock';
  context.printer.answer(
    agents,
    rows.length === 0 ? none : table([['NAME', 'PROVIDER', 'MODEL', 'SANDBOX', 'CREATED'], ...rows]),
  );
}

export async function getAgent(context: Context, name: string): Promise<void> {
  const agent = await withHost(context, () => context.api.call<AgentView>('GET', `/v1/agents/${pathStep(name)}`));
  const lines = [
    describe(agent),
    `id            ${agent.id}`,
    `base URL      ${agent.baseUrl ?? '-'}`,
    `protocol      ${agent.api ?? '-'}`,
    `key           ${agent.key ?? '-'}`,
    `instructions  ${agent.instructionsFile}`,
    `destinations  ${agent.destinations.join(', ')}`,
    `created       ${agent.createdAt}`,
  ];
  context.printer.answer(agent, lines.join('\n'));
}

const describe = (it: AgentView): string =>
  `${it.name}: provider ${it.provider}${it.model === null ? '' : `, model ${it.model}`}, sandbox ${it.sandbox}`;
