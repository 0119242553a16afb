/** `./halfdoor agents`: making, seeing, changing and ending agents. */
import { Option, type Command } from 'commander';
import type { Context } from './context.ts';
import { addHosts } from './host-commands.ts';
import type { ChangeOptions, CreateOptions } from './verbs/agents.ts';

export function addAgents(program: Command, context: Context): void {
  const agents = program.command('agents').description('make, see and change agents');
  const create = agents
    .command('create <name>')
    .description('make an agent and its terminal')
    .requiredOption('--provider <provider>', 'what thinks inside the sandbox: mock, direct, demo');
  addModel(create)
    .addOption(sandbox().default('bubblewrap'))
    .action(async (name: string, options: CreateOptions) =>
      (await import('./verbs/agents.ts')).createAgent(context, name, options),
    );
  agents
    .command('list')
    .description('all agents')
    .action(async () => (await import('./verbs/agents.ts')).listAgents(context));
  agents
    .command('get <name>')
    .description('one agent')
    .action(async (name: string) => (await import('./verbs/agents.ts')).getAgent(context, name));
  addChanges(agents, context);
  addHosts(agents, context);
}

function addChanges(agents: Command, context: Context): void {
  const update = agents
    .command('update <name>')
    .description('change what is named, from its next run on; a run that is idle ends at once')
    .option('--provider <provider>', 'what thinks inside the sandbox: mock, direct, demo');
  addModel(update)
    .option('--no-base-url', 'the public model endpoint again')
    .addOption(sandbox())
    .action(async (name: string, options: ChangeOptions) =>
      (await import('./verbs/agents.ts')).updateAgent(context, name, options),
    );
  agents
    .command('delete <name>')
    .description('end an agent for good: its conversations and its memory are removed')
    .action(async (name: string) => (await import('./verbs/delete-agent.ts')).deleteAgent(context, name));
  agents
    .command('check <name>')
    .description("ask the agent's model for one token")
    .action(async (name: string) => (await import('./verbs/agents.ts')).checkAgent(context, name));
}

const addModel = (command: Command): Command =>
  command
    .option('--model <model>', 'what the provider calls it')
    .option('--base-url <url>', 'model endpoint')
    .addOption(new Option('--api <protocol>', 'protocol of the model endpoint').choices(['anthropic', 'openai']))
    .option(
      '--key <name>',
      'the secret that the model endpoint is given (default: the public one its own, others none)',
    )
    .option('--no-key', 'give the model endpoint no key')
    .option('--instructions <file>', 'text the agent always has before it');

const sandbox = (): Option =>
  new Option('--sandbox <kind>', 'what holds it').choices(['bubblewrap', 'docker', 'process']);
