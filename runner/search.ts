/** Asks the host for a search, at the session's own socket. */
import type { Found } from './tools/web-search.ts';

const PATH = 'http://host/v1/search';

/** Throws in the host's words. */
export async function searchBy(netSocket: string, query: string): Promise<Found[]> {
  const headers = { 'content-type': 'application/json' };
  const asked = { method: 'POST', headers, body: JSON.stringify({ query }), unix: netSocket };
  const answer = await fetch(PATH, asked as BunFetchRequestInit);
  const { results, error } = (await answer.json()) as { results?: Found[]; error?: string };
  if (results === undefined) throw new Error(error ?? `the host answered with ${answer.status}`);
  return results;
}
