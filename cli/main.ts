/** `halfdoor`: reads what was asked, calls the verb, ends with its exit code. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CommanderError, type Command } from 'commander';
import { makeApi, Unreachable } from './api.ts';
import { makeProgram } from './commands.ts';
import type { Context } from './context.ts';
import { Failure, notRunning } from './failure.ts';
import { homePath } from './home-path.ts';
import { makePrinter } from './printer.ts';
import { visible } from './visible.ts';
import { wrap } from './wrap.ts';

const root = dirname(import.meta.dirname);

/** --json and --yes hold before and after the verb, so they are looked for before commander takes them apart. */
function makeContext(words: readonly string[], env: NodeJS.ProcessEnv): Context {
  const end = words.indexOf('--');
  const options = end === -1 ? words : words.slice(0, end);
  const uid = process.getuid?.() ?? 0;
  const home = homePath(env, uid, process.cwd());
  const json = options.includes('--json');
  return {
    home,
    root,
    uid,
    env,
    cwd: process.cwd(),
    yes: options.includes('--yes') || options.includes('-y') || env.CI === 'true',
    api: makeApi(home, uid),
    printer: makePrinter(
      json,
      (text) => void process.stdout.write(text),
      (text) => void process.stderr.write(text),
    ),
  };
}

function end(context: Context, error: unknown): void {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
    const plain = error.message.replace(/^error: /, '');
    if (error.exitCode !== 0 && context.printer.json)
      context.printer.failure(new Failure(plain, 'See: halfdoor help', 2));
    return;
  }
  const failure = error instanceof Unreachable ? notRunning(context.home) : asFailure(error);
  process.exitCode = failure.exitCode;
  context.printer.failure(failure);
}

function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const said = error instanceof Error ? error.message : String(error);
  return new Failure(said, 'If that does not tell what to mend: this is a fault of Halfdoor itself.');
}

/** commander would end the process at once, before what was printed has left it; and with --json it stays quiet. */
function quietly(command: Command, json: boolean): void {
  command.exitOverride();
  const shown = (text: string): string =>
    visible(text)
      .split('\n')
      .flatMap((it) => wrap(it))
      .join('\n');
  const people = { outputError: (text: string, write: (it: string) => void) => write(shown(text)) };
  command.configureOutput(json ? { writeErr: () => {} } : people);
  for (const below of command.commands) quietly(below, json);
}

async function main(words: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const context = makeContext(words, env);
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const program = makeProgram(context, version);
  quietly(program, context.printer.json);
  // A reader of our output that went away is no failure of ours.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => process.exit());
  try {
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    end(context, error);
  }
}

await main(process.argv.slice(2), process.env);
