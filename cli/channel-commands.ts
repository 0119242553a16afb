/** `./halfdoor channels` and `wirings`: platforms beside the terminal, and which agent listens where. */
import type { Command } from 'commander';
import type { Context } from './context.ts';
import type { AddHttpOptions } from './verbs/add-http.ts';
import type { AddTelegramOptions, PairOptions } from './verbs/add-telegram.ts';

export function addChannels(program: Command, context: Context): void {
  const channels = program.command('channels').description('platforms that people reach agents through');
  const add = channels.command('add').description('open a platform');
  addHttp(add, context);
  addTelegram(add, context);
  channels
    .command('list')
    .description('all of them, and how each stands')
    .action(async () => (await import('./verbs/channels.ts')).listChannels(context));
  channels
    .command('remove <name>')
    .description('take it out of use; conversations and what waits stay, for when it is added again')
    .option('--chat <name>', 'only this chat of the channel http, for good')
    .action(async (name: string, { chat }: { chat?: string }) =>
      (await import('./verbs/channels.ts')).removeChannel(context, name, chat),
    );
  addPair(channels, context);
}

function addHttp(add: Command, context: Context): void {
  add
    .command('http')
    .description('a chat for any program that speaks HTTP; its token is shown once')
    .option('--chat <name>', 'its name')
    .option('--agent <agent>', 'who listens there')
    .option('--callback <url>', 'where replies are posted to, signed')
    .option('--no-callback', 'replies are read as server-sent events')
    .option('--rotate', 'a new token for a chat that is there', false)
    .option('--port <number>', 'listen at this port (8788 at first)')
    .option('--bind <address>', 'listen at this address (127.0.0.1 at first)')
    .option('--host-name <name...>', 'names by which it is asked, beside its address')
    .action(async (_: object, command: Command) =>
      // What was not said must not look as if it was: --no-callback makes its opposite the default.
      (await import('./verbs/add-http.ts')).addHttp(context, said(command)),
    );
}

function said(command: Command): AddHttpOptions {
  const options = command.opts<AddHttpOptions>();
  if (command.getOptionValueSource('callback') === 'default') delete options.callback;
  return options;
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
