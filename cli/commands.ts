/** The verbs as commander knows them: names, arguments, options. What they do is in verbs/. */
import { Command, Option } from 'commander';
import type { Context } from './context.ts';
import { addDead, addSessions, addTrace } from './operator-commands.ts';
import type { CreateOptions } from './verbs/agents.ts';
import type { SendOptions } from './verbs/send.ts';
import type { SetupOptions } from './verbs/setup.ts';

/** Verbs are loaded when they are called: a chat need not wait for what only `start` uses. */
export function makeProgram(context: Context, version: string): Command {
  const program = new Command('halfdoor')
    .description('Talk to AI agents, each in its sandbox. Every verb takes --json.')
    .version(version)
    .option('--json', 'answer with one line of JSON')
    .option('-y, --yes', 'answer the one question of the launcher (as CI=true does)')
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('See it all: halfdoor help');
  addHost(program, context);
  addTalk(program, context);
  addAgents(program, context);
  addTrace(program, context);
  addDead(program, context);
  addSessions(program, context);
  addDevelop(program, context);
  return program;
}

function addHost(program: Command, context: Context): void {
  program
    .command('start')
    .description('start the host, in the foreground')
    .option('--detach', 'leave it running and come back', false)
    .action(async ({ detach }: { detach: boolean }) => (await import('./verbs/start.ts')).start(context, detach));
  program
    .command('stop')
    .description('stop the host')
    .action(async () => (await import('./verbs/stop.ts')).stop(context));
  program
    .command('status')
    .description('what the host says of itself')
    .action(async () => (await import('./verbs/status.ts')).status(context));
}

function addTalk(program: Command, context: Context): void {
  program
    .command('setup')
    .description('step by step to an agent that answers; again, it goes on where it was left')
    .option('--answers <file>', 'a JSON object of answers: nothing is asked')
    .action(async (options: SetupOptions) => (await import('./verbs/setup.ts')).setup(context, options));
  program
    .command('chat [agent]')
    .description('talk to an agent, made if there is none; Ctrl-C stops its turn, twice leaves; a pipe works too')
    .action(async (agent?: string) => (await import('./verbs/chat.ts')).chat(context, agent));
  program
    .command('send <agent> <text>')
    .description("send one message; '-' reads it from standard input")
    .option('--wait', 'until it is settled, and show the replies', false)
    .option('--timeout <time>', 'how long --wait waits: 500ms, 60s, 2m, 1h', '60s')
    .action(async (agent: string, text: string, options: SendOptions) =>
      (await import('./verbs/send.ts')).send(context, agent, text, options),
    );
}

function addAgents(program: Command, context: Context): void {
  const agents = program.command('agents').description('make and see agents');
  agents
    .command('create <name>')
    .description('make an agent and its terminal')
    .requiredOption('--provider <provider>', 'what thinks inside the sandbox: mock, direct')
    .option('--model <model>', 'what the provider calls it')
    .option('--base-url <url>', 'model endpoint')
    .addOption(new Option('--api <protocol>', 'protocol of the model endpoint').choices(['anthropic', 'openai']))
    .addOption(new Option('--sandbox <kind>', 'what holds it').choices(['bubblewrap', 'process']).default('bubblewrap'))
    .option('--instructions <file>', 'text the agent always has before it')
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
}

function addDevelop(program: Command, context: Context): void {
  program
    .command('test [pattern]')
    .description('checks and tests; with a pattern only the test files whose path holds it')
    .action(async (pattern?: string) => (await import('./verbs/develop.ts')).test(context, pattern));
  program
    .command('bench <name> [arguments...]')
    .description('measure: latency, cold, burst, sessions')
    .action(async (name: string, more: string[]) => (await import('./verbs/develop.ts')).bench(context, name, more));
}
