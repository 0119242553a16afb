/** `./halfdoor channels` and `wirings`: platforms beside the terminal, and which agent listens where. */
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

export function addWirings(program: Command, context: Context): void {
  const wirings = program
    .command('wirings')
    .description('which agent listens in which chat, and what people see there');
  wirings
    .command('list')
    .description('all of them')
    .action(async () => (await import('./verbs/wirings.ts')).listWirings(context));
  wirings
    .command('update <agent> <chat>')
    .description('chat: CHANNEL:CHAT as the list shows it')
    .requiredOption('--progress <style>', 'while people wait: off, typing, steps, stream, or default')
    .action(async (agent: string, chat: string, options: { progress: string }) =>
      (await import('./verbs/wirings.ts')).updateWiring(context, agent, chat, options.progress),
    );
}
