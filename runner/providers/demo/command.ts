import type { Place } from './place.ts';
import { output } from './words.ts';

const EXAMPLE = 'uname -sr; date -u; echo "2 to the 10th is $((1024))"';
const OWN_MS = 120_000;

export async function command({ shell }: Place): Promise<string> {
  const shown = output(await shell(EXAMPLE));
  return `I ran: ${EXAMPLE}\n${shown}\nOne of your own: write "run: ls -la /" or whatever you like.`;
}

/** What a person asked for; the output as it came, at most what the shell keeps of it. */
export const runOwn = async ({ shell }: Place, asked: string): Promise<string> =>
  `It printed:\n${output(await shell(asked, OWN_MS))}`;
