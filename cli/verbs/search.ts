import type { SearchInput, SearchView } from '../../host/api/egress-contract.ts';
import type { Context } from '../context.ts';
import { withHost } from '../reach.ts';
import { ensureHost } from '../start-host.ts';

export type SearchOptions = { url?: string; key?: string };

/** Starts a host if none runs. */
export async function setSearch(context: Context, engine: string, { url, key }: SearchOptions): Promise<void> {
  const input = { engine, ...(url !== undefined && { baseUrl: url }), ...(key !== undefined && { key }) };
  await ensureHost(context);
  const path = '/v1/search';
  const view = await withHost(context, () => context.api.call<SearchView>('PUT', path, input as SearchInput));
  context.printer.answer(
    view,
    `agents that may search do so by ${describe(view)}\nLet one: ./halfdoor agents allow AGENT search`,
  );
}

export async function showSearch(context: Context): Promise<void> {
  const view = await withHost(context, () => context.api.call<SearchView | null>('GET', '/v1/search'));
  const none = 'no search endpoint is set; set one: ./halfdoor search set searxng --url http://127.0.0.1:8888';
  context.printer.answer(view, view === null ? none : describe(view));
}

export async function removeSearch(context: Context): Promise<void> {
  const removed = await withHost(context, () => context.api.call('DELETE', '/v1/search'));
  context.printer.answer(removed, 'no agent searches any more');
}

const describe = ({ engine, baseUrl, key }: SearchView): string =>
  `${engine} at ${baseUrl}${key === null ? '' : `, with the secret ${key}`}`;
