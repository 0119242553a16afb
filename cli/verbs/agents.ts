import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { AgentInput, AgentView } from '../../host/api/contract.ts';
import { pathStep } from '../api.ts';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { table } from '../printer.ts';
import { withHost } from '../reach.ts';
import { ensureSandboxTools } from '../sandbox-tools.ts';
import { ensureHost } from '../start-host.ts';

export type CreateOptions = {
  provider: string;
  model?: string;
  baseUrl?: string;
  api?: 'anthropic' | 'openai';
  sandbox: 'bubblewrap' | 'process';
  instructions?: string;
};

/** Starts a host if none runs. `instructions` is a file, read here. */
export async function createAgent(context: Context, name: string, options: CreateOptions): Promise<void> {
  const { instructions: file, ...rest } = options;
  const instructions = file === undefined ? {} : { instructions: readInstructions(resolve(context.cwd, file)) };
  const input: AgentInput = { name, ...rest, ...instructions };
  if (options.sandbox === 'bubblewrap') await ensureSandboxTools(context, true);
  await ensureHost(context);
  const made = await withHost(context, () => context.api.call<AgentView>('POST', '/v1/agents', input));
  context.printer.answer(made, `made ${describe(made)}\nTalk to it: ./halfdoor chat ${made.name}`);
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
    `instructions  ${agent.instructionsFile}`,
    `destinations  ${agent.destinations.join(', ')}`,
    `created       ${agent.createdAt}`,
  ];
  context.printer.answer(agent, lines.join('\n'));
}

const describe = (it: AgentView): string =>
  `${it.name}: provider ${it.provider}${it.model === null ? '' : `, model ${it.model}`}, sandbox ${it.sandbox}`;
