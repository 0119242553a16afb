/** `./halfdoor agents allow`, `deny` and `hosts`: what of the network an agent may reach. */
import type { Command } from 'commander';
import type { Context } from './context.ts';

export function addHosts(agents: Command, context: Context): void {
  agents
    .command('allow <name> <host>')
    .description(
      'let it reach a host by https: a name, *.NAME for all below it, or web, github, npm, pypi, apt, search',
    )
    .action(async (name: string, host: string) => (await import('./verbs/hosts.ts')).allowHost(context, name, host));
  agents
    .command('deny <name> <host>')
    .description('take that back; what is open to it ends')
    .action(async (name: string, host: string) => (await import('./verbs/hosts.ts')).denyHost(context, name, host));
  agents
    .command('hosts <name>')
    .description('what it may reach, and what was refused lately')
    .action(async (name: string) => (await import('./verbs/hosts.ts')).listHosts(context, name));
}
