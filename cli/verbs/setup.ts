import type { Context } from '../context.ts';
import { readAnswers } from '../setup/answers.ts';
import { openAsker } from '../setup/open-asker.ts';
import { agentStep, checkStep, hostStep, providerStep, sandboxStep, type Setup } from '../setup/steps.ts';

export type SetupOptions = { answers?: string };

/** Step by step to an agent that answers. Run again, it finds what is done and goes on from there. */
export async function setup(context: Context, options: SetupOptions): Promise<void> {
  const answers = options.answers === undefined ? null : readAnswers(options.answers);
  const asker = await openAsker(context, answers);
  const it: Setup = { context, asker };
  try {
    await sandboxStep(it);
    await hostStep(it);
    const chosen = await providerStep(it);
    const agent = chosen === null ? null : await agentStep(it, chosen);
    const works = agent === null || chosen?.api === null || (await checkStep(it, agent));
    const next = agent === null ? './halfdoor chat' : `./halfdoor chat ${agent}`;
    context.printer.answer({ agent, works }, works ? `Talk to it: ${next}` : `Once that is mended: ${next}`);
    if (!works) process.exitCode = 1;
  } finally {
    asker.close();
  }
}
