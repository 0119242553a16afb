import { join } from 'node:path';
import { messageOf, type Place } from './place.ts';
import { output } from './words.ts';

const NAME = 'halfdoor-demo.txt';
const TEXT = 'Written by a script inside a sandbox.\n';

/** Writes into the folder it works in, which may be a person's: only a file that is not there or is ours. */
export async function writeFile({ cwd, use, randomId }: Place): Promise<string> {
  const before = await use('read', { path: NAME }).catch(() => null);
  const name = before === null || before === TEXT ? NAME : `halfdoor-demo-${randomId().slice(-6)}.txt`;
  try {
    const wrote = await use('write', { path: name, content: TEXT });
    const back = await use('read', { path: name });
    return [
      `I ${wrote}. Read back:`,
      output(back),
      `You find it at ${join(cwd, name)} in here; \`./halfdoor sessions list\` names the folder outside.`,
    ].join('\n');
  } catch (error) {
    return `I may not write here. The error was:\n${output(messageOf(error))}`;
  }
}
