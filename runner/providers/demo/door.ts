import { join } from 'node:path';
import type { Place } from './place.ts';
import { output } from './words.ts';

/** The two files with what stands in them now, and a try at the one that is not its own. */
export async function door({ inside, shell }: Place): Promise<string> {
  const { messages_in, delivered, messages_out, processing_ack } = inside.counts();
  const theirs = join(inside.base, 'in', 'inbound.db');
  const mine = join(inside.base, 'out', 'outbound.db');
  // Opened to append, and nothing is written: where this is let, nothing is broken by it.
  const tried = await shell(`: >> '${theirs}' && echo 'it opened: this sandbox is no wall'`);
  return [
    'Between you and me stand two SQLite files, each with one writer:',
    `  ${theirs}: only the host writes it. ${messages_in} messages to me, ${delivered} receipts.`,
    `  ${mine}: only I write it. ${messages_out} messages from me, ${processing_ack} settled.`,
    'I tried to open the first one for writing:',
    output(tried),
    'What you write is a row before I see it, and what I say is a row before you do: a crash loses neither.',
  ].join('\n');
}
