/** Whom `chat` talks to when no agent was named. On a fresh install: made now, from what is found here. */
import { existsSync } from 'node:fs';
import { homeAt } from '../../host/home.ts';
import { visible } from '../visible.ts';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { ensureSandboxTools } from '../sandbox-tools.ts';
import { ensureHost } from '../start-host.ts';
import { FIRST_NAME, listAgents, makeAgent, modelsOf } from './agent.ts';
import type { Asker } from './asker.ts';
import { candidates, DEMO, preferredModel, type Candidate } from './candidates.ts';
import { haveKey, listSecrets } from './key.ts';
import { left } from './left.ts';
import { findLocalServers } from './local-models.ts';
import { openAsker } from './open-asker.ts';

const SHOWN_MODELS = 6;

/** Name of the one agent there is, of the one chosen, or of the first one, made now. Throws `Failure`. */
export async function whomToTalkTo(context: Context): Promise<string> {
  // On a fresh install nothing can be made without them: said once, before anything is started.
  if (!existsSync(homeAt(context.home).central)) await ensureSandboxTools(context, true);
  await ensureHost(context);
  const names = (await listAgents(context)).map((it) => it.name);
  const [only, ...more] = names;
  // Without a person nothing is kept that was not asked about.
  const asker = await openAsker(context, null, { keep: false });
  try {
    if (only === undefined) return await makeFirst(context, asker);
    if (more.length === 0) return only;
    if (!asker.person)
      throw new Failure(`which agent? There are: ${names.join(', ')}`, `For example: ./halfdoor chat ${only}`, 2);
    const options = names.map((name) => ({ value: name, label: name }));
    return (await asker.select({ id: 'agent', ask: 'Talk to whom?', options, otherwise: only })) ?? left();
  } finally {
    asker.close();
  }
}

async function makeFirst(context: Context, asker: Asker): Promise<string> {
  await ensureSandboxTools(context, true);
  const found = candidates(context.env, await listSecrets(context), await findLocalServers(context.env));
  const best = found[0] ?? DEMO;
  const { it, model } = await settleOn(context, asker, best);
  await makeAgent(context, FIRST_NAME, it, model);
  asker.say(visible(explain(it, model)));
  return FIRST_NAME;
}

/** What was found first, if it works. A person may take the demo instead; nobody gets it in silence. */
async function settleOn(
  context: Context,
  asker: Asker,
  best: Candidate,
): Promise<{ it: Candidate; model: string | null }> {
  try {
    return { it: best, model: await modelFor(context, asker, best) };
  } catch (error) {
    if (!(error instanceof Failure) || best === DEMO) throw error;
    const problem = `${best.because}, but ${error.message}`;
    const demo = `Or begin with the demo: ./halfdoor agents create ${FIRST_NAME} --provider demo`;
    if (!asker.person) throw new Failure(problem, `${error.next}\n${demo}`);
    asker.say(`${problem}\n${error.next}`);
    const ask = 'Begin with the demo, a script, until that is mended?';
    const yes = (await asker.confirm({ id: 'demo', ask, otherwise: false })) ?? left();
    if (!yes) throw new Failure('no agent was made', error.next);
    return { it: { ...DEMO, because: 'you chose it' }, model: null };
  }
}

async function modelFor(context: Context, asker: Asker, it: Candidate): Promise<string | null> {
  if (it.api === null) return null;
  if (it.key !== null) await haveKey(context, asker, it.key);
  const models = await modelsOf(context, it);
  if (models.length > 1) asker.say(`Models there: ${listed(models)}`);
  return preferredModel(it.api, models);
}

function listed(models: readonly string[]): string {
  const more = models.length - SHOWN_MODELS;
  return `${models.slice(0, SHOWN_MODELS).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function explain(it: Candidate, model: string | null): string {
  const using = `Made your first agent, ${FIRST_NAME}. It thinks with ${model === null ? '' : `${model} of `}${it.label}, since ${it.because}.`;
  const change =
    it === DEMO || it.provider === 'demo' ? 'Connect a real model: ./halfdoor setup' : 'Change that: ./halfdoor setup';
  return `${using}\n${change}`;
}
