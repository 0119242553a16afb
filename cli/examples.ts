/** One line to type for every command, shown at the end of its help. */
import type { Command } from 'commander';

const EXAMPLES: Readonly<Record<string, string>> = {
  start: 'start --detach',
  stop: 'stop',
  status: 'status --json',
  doctor: 'doctor --fix',
  logs: 'logs -f -n 20',
  setup: 'setup --answers answers.json',
  chat: 'chat helper --dir ~/project',
  send: 'send helper "What does it say?" --file report.pdf --wait',
  'agents create': 'agents create helper --provider direct --model claude-sonnet-4-5',
  'agents list': 'agents list',
  'agents get': 'agents get helper --json',
  'agents update': 'agents update helper --model claude-opus-4-5',
  'agents delete': 'agents delete helper',
  'agents check': 'agents check helper',
  'agents allow': 'agents allow helper registry.npmjs.org',
  'agents deny': 'agents deny helper registry.npmjs.org',
  'agents hosts': 'agents hosts helper',
  'secrets set': 'secrets set ANTHROPIC_API_KEY',
  'secrets list': 'secrets list',
  'secrets remove': 'secrets remove ANTHROPIC_API_KEY',
  'channels add http': 'channels add http --chat ops --agent helper',
  'search set': 'search set searxng --url http://127.0.0.1:8888',
  'search show': 'search show',
  'search remove': 'search remove',
  'channels list': 'channels list',
  'channels add telegram': 'channels add telegram --agent helper',
  'channels pair': 'channels pair telegram --agent helper',
  'channels remove': 'channels remove telegram',
  'wirings list': 'wirings list',
  'wirings update': 'wirings update maya telegram:1234 --progress steps',
  'mounts allow': 'mounts allow ~/project',
  'mounts list': 'mounts list',
  'mounts remove': 'mounts remove ~/project',
  'sessions list': 'sessions list',
  trace: 'trace 01a2137b-b2dc',
  'dead list': 'dead list',
  'dead show': 'dead show 01a2137b-b2e0',
  'dead replay': 'dead replay --all',
  'dead drop': 'dead drop 01a2137b-b2e0',
  'sessions show': 'sessions show 019a',
  'sessions tail': 'sessions tail 019a -f',
  'sessions stop': 'sessions stop 019a',
  'sessions reset': 'sessions reset 019a',
  'image build': 'image build --with claude,browser',
  'image unpack': 'image unpack',
  'image list': 'image list',
  'image prune': 'image prune --yes',
  test: 'test duration',
  bench: 'bench latency',
};

/** Adds its example to every command that does something. One that has none is found by a test. */
export function addExamples(program: Command): void {
  for (const { name, command } of leaves(program)) {
    const example = EXAMPLES[name];
    if (example !== undefined) command.addHelpText('after', `\nExample:\n  ./halfdoor ${example}`);
  }
}

/** Commands that have none below them, by their full names: `agents create`. */
export function leaves(command: Command, above: readonly string[] = []): { name: string; command: Command }[] {
  return command.commands.flatMap((it) => {
    const path = [...above, it.name()];
    return it.commands.length > 0 ? leaves(it, path) : [{ name: path.join(' '), command: it }];
  });
}
