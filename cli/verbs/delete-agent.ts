import type { AgentView } from '../../host/api/contract.ts';
import { pathStep } from '../api.ts';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { ask } from '../question.ts';
import { withHost } from '../reach.ts';

/** Asks whoever sits there; with nobody there it takes --yes. */
export async function deleteAgent(context: Context, name: string): Promise<void> {
  const path = `/v1/agents/${pathStep(name)}`;
  await withHost(context, () => context.api.call<AgentView>('GET', path)); // refused before anything is asked
  if (!context.yes) await mustAgree(name);
  const deleted = await withHost(context, () => context.api.call('DELETE', path));
  context.printer.answer(deleted, `deleted ${name}`);
}

async function mustAgree(name: string): Promise<void> {
  const question = `Delete ${name}? Its conversations, files and memory are removed for good. [y/N] `;
  const answer = await ask({ input: process.stdin, output: process.stderr }, question);
  if (answer === null) {
    throw new Failure('nobody is there to be asked', `If it shall go: halfdoor agents delete ${name} --yes`, 2);
  }
  if (!/^y(es)?$/i.test(answer.trim())) throw new Failure(`${name} stays`, 'Nothing was changed.');
}
