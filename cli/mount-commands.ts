/** `halfdoor mounts`: folders of a person that agents may be given. */
import type { Command } from 'commander';
import type { Context } from './context.ts';

export function addMounts(program: Command, context: Context): void {
  const mounts = program.command('mounts').description('folders of yours that agents may be given');
  mounts
    .command('allow <path>')
    .description('let it be given; `chat AGENT --dir` gives it')
    .action(async (path: string) => (await import('./verbs/mounts.ts')).allowMount(context, path));
  mounts
    .command('list')
    .description('all of them')
    .action(async () => (await import('./verbs/mounts.ts')).listMounts(context));
  mounts
    .command('remove <path>')
    .description('no more; a run that has it is ended at once')
    .action(async (path: string) => (await import('./verbs/mounts.ts')).removeMount(context, path));
}
