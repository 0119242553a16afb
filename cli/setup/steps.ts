/** The steps of `halfdoor setup`. Each says what it will change, can be skipped, and finds by itself what is done already. */
import type { CheckView } from '../../host/api/contract.ts';
import { pathStep } from '../api.ts';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { ensureSandboxTools, missingTools } from '../sandbox-tools.ts';
import { askStatus, ensureHost } from '../start-host.ts';
import { FIRST_NAME, listAgents, makeAgent, modelsOf } from './agent.ts';
import type { Asker, Option } from './asker.ts';
import { candidates, KEYS, preferredModel, type Api, type Candidate } from './candidates.ts';
import { haveKey, listSecrets, typeKey } from './key.ts';
import { left } from './left.ts';
import { findLocalServers } from './local-models.ts';

export type Setup = { context: Context; asker: Asker };

const SKIP = 'skip';

/** Programs that the sandbox is made with. */
export async function sandboxStep({ context, asker }: Setup): Promise<void> {
  const missing = missingTools(context.env.PATH ?? '');
  if (process.platform !== 'linux' || missing.length === 0) return asker.say('Sandbox: its programs are here.');
  const command = `apt-get install ${missing.join(' ')}`;
  if (context.uid !== 0) return ensureSandboxTools(context, true);
  const ask = `The sandbox needs ${missing.join(' and ')}. This runs: ${command}. Go on?`;
  const yes = (await asker.confirm({ id: 'install', ask, otherwise: true })) ?? left();
  if (yes) await ensureSandboxTools({ ...context, yes: true }, true);
  else asker.say(`Skipped. No agent can run before: ${command}`);
}

/** The host, which everything else asks. */
export async function hostStep({ context, asker }: Setup): Promise<void> {
  const running = await askStatus(context);
  if (running) return asker.say(`Host: it runs, pid ${running.pid}.`);
  const { pid, sandboxes } = await ensureHost(context);
  asker.say(`Host: started, pid ${pid}, home ${context.home}. It stays; ./halfdoor stop ends it.`);
  const wall = sandboxes.find((it) => it.kind === 'bubblewrap');
  if (wall?.ok === false) asker.say(`Sandbox: cannot run here: ${wall.fault}.\n${wall.next}`);
}

/** What thinks for the agent. Null: skipped. */
export async function providerStep({ context, asker }: Setup): Promise<Candidate | null> {
  const found = candidates(context.env, await listSecrets(context), await findLocalServers(context.env));
  const agents = await listAgents(context);
  const options: Option[] = [
    ...found.map((it) => ({ value: it.id as string, label: it.label, hint: it.because })),
    ...(['anthropic', 'openai'] as const)
      .filter((api) => !found.some((it) => it.id === api))
      .map((api) => ({ value: api, label: api === 'anthropic' ? 'Anthropic' : 'OpenAI', hint: 'you type a key' })),
    { value: 'endpoint', label: 'another endpoint', hint: 'its URL; Anthropic or OpenAI protocol' },
    { value: SKIP, label: 'leave it as it is', hint: agents.length === 0 ? 'no agent is made' : 'nothing is changed' },
  ];
  const otherwise = agents.length === 0 ? (found[0]?.id ?? 'demo') : SKIP;
  const id = (await asker.select({ id: 'provider', ask: 'What thinks for your agent?', options, otherwise })) ?? left();
  if (id === SKIP) return null;
  if (id === 'endpoint') return endpointOf(asker);
  return found.find((it) => it.id === id) ?? typed(context, asker, id as Api);
}

/** Chosen without a key at hand: typed now, kept at once. */
async function typed(context: Context, asker: Asker, api: Api): Promise<Candidate> {
  const name = KEYS[api];
  if (!(await typeKey(context, asker, name))) {
    throw new Failure(`${name} is not set`, `Set it in the environment, or keep it: ./halfdoor secrets set ${name}`);
  }
  const [made] = candidates({ [name]: 'kept' }, [], []);
  if (made === undefined) throw new Failure(`no provider for ${name}`, 'Choose another one.');
  return made;
}

async function endpointOf(asker: Asker): Promise<Candidate> {
  const baseUrl =
    (await asker.text({ id: 'base-url', ask: 'Its URL, like http://127.0.0.1:1234/v1', otherwise: '' })) ?? left();
  if (!URL.canParse(baseUrl))
    throw new Failure(`${JSON.stringify(baseUrl)} is no URL`, 'Give one like http://127.0.0.1:1234/v1.');
  const options = [
    { value: 'openai', label: 'OpenAI (Chat Completions)' },
    { value: 'anthropic', label: 'Anthropic (Messages)' },
  ];
  const api =
    (await asker.select({ id: 'api', ask: 'Which protocol does it speak?', options, otherwise: 'openai' })) ?? left();
  const ask = 'Name of the kept secret it is given as a key, like OPENAI_API_KEY; nothing for none';
  const key = (await asker.text({ id: 'key', ask, otherwise: '' })) ?? left();
  return {
    id: api as Api,
    label: baseUrl,
    provider: 'direct',
    api: api as Api,
    baseUrl,
    key: key === '' ? null : key,
    models: null,
    because: 'you chose it',
  };
}

/** Its key, its model, and the agent. Gives the agent's name. */
export async function agentStep({ context, asker }: Setup, it: Candidate): Promise<string> {
  if (it.key !== null) await haveKey(context, asker, it.key);
  const model = it.api === null ? null : await chooseModel(context, asker, it, it.api);
  const agents = await listAgents(context);
  const first = agents[0]?.name ?? FIRST_NAME;
  const ask = 'Name of the agent; one that is there is changed, else it is made';
  const name = (await asker.text({ id: 'agent', ask, otherwise: first })) ?? left();
  const made = await makeAgent(context, name, it, model);
  const isNew = !agents.some((agent) => agent.name === name);
  asker.say(
    `${isNew ? 'Made' : 'Changed'} ${made.name}: ${model === null ? made.provider : `${model} of ${it.label}`}, in ${made.sandbox}.`,
  );
  return made.name;
}

async function chooseModel(context: Context, asker: Asker, it: Candidate, api: Api): Promise<string> {
  const models = await modelsOf(context, it).catch((error: unknown) => {
    if (error instanceof Failure && it.baseUrl !== null) return error;
    throw error;
  });
  if (models instanceof Failure) return nameModel(asker, models);
  const otherwise = preferredModel(api, models) ?? '';
  const options = models.map((id) => ({ value: id, label: id }));
  return (await asker.select({ id: 'model', ask: 'Which model?', options, otherwise })) ?? left();
}

/** Some endpoints serve models and list none. */
async function nameModel(asker: Asker, problem: Failure): Promise<string> {
  asker.say(`Its models could not be listed: ${problem.message}.`);
  const model = (await asker.text({ id: 'model', ask: 'Name of the model', otherwise: '' })) ?? left();
  if (model === '') throw problem;
  return model;
}

/** One real call for one token: the person learns now, not at the first message. */
export async function checkStep({ context, asker }: Setup, name: string): Promise<boolean> {
  const ask = `Try it with one real call (one token)?`;
  const yes = (await asker.confirm({ id: 'check', ask, otherwise: true })) ?? left();
  if (!yes) return true;
  const check = await context.api.call<CheckView>('POST', `/v1/agents/${pathStep(name)}/check`);
  asker.say(check.ok ? `It answers (${check.ms} ms).` : `It does not answer: ${check.fault}.\n${check.next}`);
  return check.ok;
}
