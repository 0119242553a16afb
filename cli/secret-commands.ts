/** `halfdoor secrets`: what the host holds for its agents. */
import type { Command } from 'commander';
import type { Context } from './context.ts';

export function addSecrets(program: Command, context: Context): void {
  const secrets = program.command('secrets').description('keys that the host holds and no agent sees');
  secrets
    .command('set <name>')
    .description('keep a secret; its value comes from a pipe, or is asked for and not shown')
    .allowExcessArguments()
    .action(async (name: string, _options: object, command: Command) =>
      (await import('./verbs/secrets.ts')).setSecret(context, name, command.args.length - 1),
    );
  secrets
    .command('list')
    .description('their names, and who is given them; never a value')
    .action(async () => (await import('./verbs/secrets.ts')).listSecrets(context));
  secrets
    .command('remove <name>')
    .description('keep it no longer')
    .action(async (name: string) => (await import('./verbs/secrets.ts')).removeSecret(context, name));
}
