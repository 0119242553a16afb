/** Reads a page as text. The host's rules decide whether it is reached, whatever this says. */
import { LIMITS } from '@halfdoor/protocol/limits';
import type { Tool } from '../providers/provider.ts';

/** Throws what the model can do something about. */
export type ReadPage = (url: string) => Promise<string>;

export const webFetch = (read: ReadPage): Tool => ({
  name: 'web_fetch',
  description: `Reads a page by https and returns its text, at most ${LIMITS.toolOutputBytes} bytes. Only hosts that your owner allowed are reached.`,
  inputSchema: {
    type: 'object',
    properties: { url: { type: 'string', description: 'Address that begins with https://' } },
    required: ['url'],
    additionalProperties: false,
  },
  run: async ({ url }) => {
    if (typeof url !== 'string') throw new Error('web_fetch needs {"url": "https://…"}');
    return read(url);
  },
});
