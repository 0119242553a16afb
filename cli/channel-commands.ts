/** `./halfdoor channels` and `wirings`: platforms beside the terminal, and which agent listens where. */
import type { Command } from 'commander';
import type { Context } from './context.ts';
import type { AddTelegramOptions, PairOptions } from './verbs/add-telegram.ts';

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
  const add = channels.command('add').description('take one into use');
  addTelegram(add, context);
  addPair(channels, context);
}

function addTelegram(add: Command, context: Context): void {
  add
    .command('telegram')
    .description('a Telegram bot; its token comes from a pipe, or is asked for and not shown')
    .requiredOption('--agent <name>', 'who answers there')
    .option('--name <name>', 'what it is called here', 'telegram')
    .option(
      '--webhook <url>',
      'an https address that leads to the web listener: Telegram sends there, nothing is polled',
    )
    .option('--base-url <url>', 'a Bot API server of your own')
    .option('--drop-webhook', 'take away a webhook that is set for this bot', false)
    .option('--no-wait', 'do not wait until the code was used')
    .allowExcessArguments()
    .action(async (options: AddTelegramOptions, command: Command) =>
      (await import('./verbs/add-telegram.ts')).addTelegram(context, options, command.args.length),
    );
}

function addPair(channels: Command, context: Context): void {
  channels
    .command('pair <name>')
    .description('a new code: whoever sends it there becomes an owner')
    .requiredOption('--agent <name>', 'whom they talk to')
    .option('--no-wait', 'do not wait until the code was used')
    .action(async (name: string, options: PairOptions) =>
      (await import('./verbs/add-telegram.ts')).pairChannel(context, name, options),
    );
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
