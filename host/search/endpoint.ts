/** Where agents search: one endpoint for the whole host, set by an owner. Without it nobody searches. */
import { checkEndpoint } from '../agents/input.ts';
import type { SearchInput, SearchView } from '../api/egress-contract.ts';
import { audit } from '../authority/audit.ts';
import type { Central } from '../db/central.ts';
import type { Ids } from '../ids.ts';
import { Refusal } from '../refusal.ts';
import { ABOUT, ENGINES } from './engines.ts';

export type SearchEndpointDeps = { central: Central; ids: Ids; now(): string };

/** Null: none was set. */
export async function searchEndpoint({ read }: Central): Promise<SearchView | null> {
  const row = await read.selectFrom('search_endpoint').select(['engine', 'base_url', 'key']).executeTakeFirst();
  return row ? { engine: row.engine, baseUrl: row.base_url, key: row.key } : null;
}

/** Holds from the next search on. Throws `Refusal`. */
export async function setSearchEndpoint(
  deps: SearchEndpointDeps,
  input: SearchInput,
  actor: string,
): Promise<SearchView> {
  const engine = ENGINES.find((it) => it === input.engine);
  if (engine === undefined) {
    throw new Refusal('bad-input', 'no search engine of this name', `Give one of ${ENGINES.join(', ')}.`);
  }
  const about = ABOUT[engine];
  const { base_url, key } = checkEndpoint('openai', input.baseUrl, input.key ?? null);
  const base = base_url ?? about.base;
  if (base === null) {
    throw new Refusal('bad-input', `${engine} needs the address it stands at`, 'Give --url http://127.0.0.1:8888.');
  }
  if (about.key && key === null) {
    throw new Refusal(
      'bad-input',
      `${engine} wants a key`,
      'Keep one: ./halfdoor secrets set NAME. Then give --key NAME.',
    );
  }
  const row = { only: 1 as const, engine, base_url: base.replace(/\/+$/, ''), key };
  await deps.central.commit('egress-rule', async (tx) => {
    await tx.replaceInto('search_endpoint').values(row).execute();
    const target = `${engine} ${row.base_url}`;
    await audit(tx, { id: deps.ids(), at: deps.now(), actor, action: 'search.set', target });
  });
  return { engine, baseUrl: row.base_url, key };
}

/** Throws `Refusal` when there is none. */
export async function removeSearchEndpoint(deps: SearchEndpointDeps, actor: string): Promise<void> {
  await deps.central.commit('egress-rule', async (tx) => {
    const gone = await tx.deleteFrom('search_endpoint').returning('engine').executeTakeFirst();
    if (!gone) throw new Refusal('not-found', 'no search endpoint is set', 'Set one: ./halfdoor search set ENGINE.');
    await audit(tx, { id: deps.ids(), at: deps.now(), actor, action: 'search.remove', target: gone.engine });
  });
}
