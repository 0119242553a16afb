/** The operator's verbs as commander knows them: what became of a message, dead letters, one session. */
import type { Command } from 'commander';
import type { Context } from './context.ts';

export function addTrace(program: Command, context: Context): void {
  program
    .command('trace <id>')
    .description(
      'why a message got no answer: every step of it, and where it stands now; the beginning of its id is enough',
    )
    .action(async (id: string) => (await import('./verbs/trace.ts')).trace(context, id));
}

export function addDead(program: Command, context: Context): void {
  const dead = program.command('dead').description('messages and deliveries that were given up, for 30 days');
  dead
    .command('list')
    .description('all of them, oldest first')
    .action(async () => (await import('./verbs/dead.ts')).listDead(context));
  dead
    .command('show <id>')
    .description('one of them, with its text')
    .action(async (id: string) => (await import('./verbs/dead.ts')).showDead(context, id));
  dead
    .command('replay [id]')
    .description('take one up again: a message is answered anew, a delivery goes to the end of its queue')
    .option('--all', 'all there are', false)
    .action(async (id: string | undefined, { all }: { all: boolean }) =>
      (await import('./verbs/dead.ts')).replayDead(context, id, all),
    );
  dead
    .command('drop <id>')
    .description('end one for good')
    .action(async (id: string) => (await import('./verbs/dead.ts')).dropDead(context, id));
}

export function addSessions(program: Command, context: Context): void {
  const sessions = program
    .command('sessions')
    .description('see and end conversations; the beginning of an id is enough');
  sessions
    .command('list')
    .description('the newest sessions')
    .action(async () => (await import('./verbs/sessions.ts')).listSessions(context));
  sessions
    .command('show <id>')
    .description('one session: what is open, how its last runs ended, how much room it takes')
    .action(async (id: string) => (await import('./verbs/sessions.ts')).showSession(context, id));
  sessions
    .command('tail <id>')
    .description('what went in and came out last')
    .option('-f, --follow', 'and what comes from now on, until Ctrl-C', false)
    .action(async (id: string, { follow }: { follow: boolean }) =>
      (await import('./verbs/tail.ts')).tailSession(context, id, follow),
    );
  sessions
    .command('stop <id>')
    .description('as /stop in its chat: what is open is taken back and its people are told; then its run ends')
    .action(async (id: string) => (await import('./verbs/sessions.ts')).stopSession(context, id));
  sessions
    .command('reset <id>')
    .description('as /new in its chat: what is open is dropped, the next message begins with an empty work folder')
    .action(async (id: string) => (await import('./verbs/sessions.ts')).resetSession(context, id));
}
