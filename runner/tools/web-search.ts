/** Searches by the endpoint that the host's owner has set. Whether this agent may is decided there. */
import type { Tool } from '../providers/provider.ts';

export type Found = { title: string; url: string; text: string };

/** Throws what the model can do something about. */
export type Search = (query: string) => Promise<Found[]>;

export const webSearch = (search: Search): Tool => ({
  name: 'web_search',
  description:
    'Searches the web and returns titles, addresses and a few words of each page. Only if your owner allowed it.',
  inputSchema: {
    type: 'object',
    properties: { query: { type: 'string', description: 'What to look for.' } },
    required: ['query'],
    additionalProperties: false,
  },
  run: async ({ query }) => {
    if (typeof query !== 'string' || query.trim() === '') throw new Error('web_search needs {"query": text}');
    const found = await search(query);
    if (found.length === 0) return '(nothing was found)';
    return found.map(({ title, url, text }, n) => `${n + 1}. ${title}\n${url}\n${text}`.trimEnd()).join('\n\n');
  },
});
