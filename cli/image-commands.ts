/** `./halfdoor image`: what Docker starts agents from. */
import type { Command } from 'commander';
import type { Context } from './context.ts';
import type { BuildOptions } from './verbs/image.ts';

export function addImage(program: Command, context: Context): void {
  const image = program.command('image').description('build and see what Docker starts agents from');
  image
    .command('build')
    .description('build the image of this checkout, as image/build.env says; agents get it from their next run on')
    .option(
      '--with <names>',
      'build in too, with commas between: claude, codex, opencode, gemini, browser, vercel, python',
    )
    .option('--base <image>', 'an image of Debian 12 to begin with (default: debian:bookworm-slim)')
    .option('--network <mode>', "the network of the build, as docker build's --network")
    .option(
      '--apt-sources <file>',
      'where Debian packages come from, in the form of apt; it does not go into the image',
    )
    .option('--ca <file>', 'certificates to trust while building; they do not go into the image')
    .option('--npmrc <file>', 'settings of npm for a registry of yours; they do not go into the image')
    .option('--fresh', 'use nothing of earlier builds: the newest packages of Debian', false)
    .action(async (options: BuildOptions) => (await import('./verbs/image.ts')).buildImage(context, options));
  image
    .command('unpack')
    .description('give its programs to the agents in bubblewrap too, from their next run on')
    .option('--remove', 'no more: they get those of this machine again', false)
    .action(async ({ remove }: { remove: boolean }) =>
      (await import('./verbs/image-unpack.ts')).unpackImage(context, remove),
    );
  image
    .command('list')
    .description('the images of Halfdoor that the engine has, and which one agents get')
    .action(async () => (await import('./verbs/image.ts')).listImages(context));
  image
    .command('prune')
    .description('remove those of this checkout that no agent needs')
    .action(async () => (await import('./verbs/image.ts')).pruneImages(context));
}
