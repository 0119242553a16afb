/** `./halfdoor channels`: the platforms that people reach agents through, beside the terminal. */
import type { Command } from 'commander';
import type { Context } from './context.ts';

export function addChannels(program: Command, context: Context): void {
  const channels = program.command('channels').description('platforms that people reach agents through');
  channels
    .command('list')
    .description('all of them, and how each stands')
    .action(async () => (await import('./verbs/channels.ts')).listChannels(context));
  channels
    .command('remove <name>')
    .description('take it out of use; conversations and what waits stay, for when it is added again')
    .action(async (name: string) => (await import('./verbs/channels.ts')).removeChannel(context, name));
}
