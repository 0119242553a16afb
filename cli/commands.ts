/** The verbs as commander knows them: names, arguments, options. What they do is in verbs/. */
import { Command } from 'commander';
import { addAgents } from './agent-commands.ts';
import { addChannels, addWirings } from './channel-commands.ts';
import type { Dir } from './chat/folder.ts';
import type { Context } from './context.ts';
import { addDead, addSessions, addTrace } from './operator-commands.ts';
import { addImage } from './image-commands.ts';
import { addMounts } from './mount-commands.ts';
import { addSearch } from './search-commands.ts';
import { addSecrets } from './secret-commands.ts';
import { addExamples } from './examples.ts';
import type { DoctorOptions } from './verbs/doctor.ts';
import type { LogsOptions } from './verbs/logs.ts';
import type { SendOptions } from './verbs/send.ts';
import type { SetupOptions } from './verbs/setup.ts';

/** Verbs are loaded when they are called: a chat need not wait for what only `start` uses. */
export function makeProgram(context: Context, version: string): Command {
  const program = new Command('halfdoor')
    .description('Talk to AI agents, each in its sandbox. Every verb takes --json.')
    .version(version)
    .option('--json', 'answer with one line of JSON')
    .option('-y, --yes', 'answer questions with yes (as CI=true does)')
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('See it all: ./halfdoor help');
  addHost(program, context);
  addLook(program, context);
  addTalk(program, context);
  addAgents(program, context);
  addChannels(program, context);
  addWirings(program, context);
  addTrace(program, context);
  addDead(program, context);
  addSecrets(program, context);
  addSearch(program, context);
  addMounts(program, context);
  addSessions(program, context);
  addImage(program, context);
  addDevelop(program, context);
  addExamples(program);
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

function addLook(program: Command, context: Context): void {
  program
    .command('doctor')
    .description('look for what is wrong with this install, and say how to mend it')
    .option('--fix', 'mend what can be mended safely (with --yes also what must be installed)', false)
    .option('--all', 'show what is fine too', false)
    .action(async (options: DoctorOptions) => (await import('./verbs/doctor.ts')).doctor(context, options));
  program
    .command('logs')
    .description('the end of the log of the host')
    .option('-f, --follow', 'go on showing what comes, until Ctrl-C', false)
    .option('-n, --lines <number>', 'how many of the last lines', '100')
    .action(async (options: LogsOptions) => (await import('./verbs/logs.ts')).logs(context, options));
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
    .option('--dir <path>', 'let it work on this folder of yours; you are asked once')
    .option('--no-dir', 'take the folder back')
    .action(async (agent: string | undefined, { dir }: { dir?: Dir }) =>
      (await import('./verbs/chat.ts')).chat(context, agent, dir),
    );
  program
    .command('send <agent> <text>')
    .description("send one message; '-' reads it from standard input")
    .option(
      '--file <path>',
      'send a file with it; can be given again',
      (path: string, before: string[]) => [...before, path],
      [],
    )
    .option('--wait', 'until it is settled, and show the replies', false)
    .option('--timeout <time>', 'how long --wait waits: 500ms, 60s, 2m, 1h', '60s')
    .action(async (agent: string, text: string, options: SendOptions) =>
      (await import('./verbs/send.ts')).send(context, agent, text, options),
    );
}

function addDevelop(program: Command, context: Context): void {
  program
    .command('test [pattern]')
    .description('checks and tests; with a pattern only the test files whose path holds it')
    .action(async (pattern?: string) => (await import('./verbs/develop.ts')).test(context, pattern));
  program
    .command('bench <name> [arguments...]')
    .description('measure: latency, cold, burst, sessions, history; crash --messages N --kills N --seed S')
    .allowUnknownOption()
    .action(async (name: string, more: string[]) => (await import('./verbs/develop.ts')).bench(context, name, more));
}
