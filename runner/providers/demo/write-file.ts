import { join } from 'node:path';
import { messageOf, type Place } from './place.ts';
import { output } from './words.ts';

const NAME = 'halfdoor-demo.txt';
const TEXT = 'Written by a script inside a sandbox.\n';

/** Writes into the folder it works in, which may be a person's: only a file that is not there or is ours. */
export async function writeFile({ cwd, use, randomId, inside }: Place): Promise<string> {
  const before = await use('read', { path: NAME }).catch(() => null);
  const name = before === null || before === TEXT ? NAME : `halfdoor-demo-${randomId().slice(-6)}.txt`;
  try {
    const wrote = await use('write', { path: name, content: TEXT });
    const back = await use('read', { path: name });
    const folder = inside.folder();
    const place =
      folder === null
        ? `It lies at ${join(cwd, name)} in here, and in the work folder of this session outside.`
        : `You find it at ${join(folder, name)}.`;
    return [`I ${wrote}. Read back:`, output(back), place].join('\n');
  } catch (error) {
    return `I may not write here. The error was:\n${output(messageOf(error))}`;
  }
}
