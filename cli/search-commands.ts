/** `./halfdoor search`: the endpoint that agents search by, one for the whole host. */
import type { Command } from 'commander';
import type { Context } from './context.ts';
import type { SearchOptions } from './verbs/search.ts';

export function addSearch(program: Command, context: Context): void {
  const search = program.command('search').description('the endpoint that agents search the web by');
  search
    .command('set <engine>')
    .description('searxng, brave or tavily; agents that may search are allowed one by one')
    .option('--url <url>', 'where it stands, if that is not its public address')
    .option('--key <name>', 'the secret that it is given')
    .action(async (engine: string, options: SearchOptions) =>
      (await import('./verbs/search.ts')).setSearch(context, engine, options),
    );
  search
    .command('show')
    .description('which one is set')
    .action(async () => (await import('./verbs/search.ts')).showSearch(context));
  search
    .command('remove')
    .description('no agent searches any more')
    .action(async () => (await import('./verbs/search.ts')).removeSearch(context));
}
