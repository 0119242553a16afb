/** The routes of which hosts an agent may reach. */
import type { Hono } from 'hono';
import { allowHost, denyHost, listHosts, type HostsDeps } from '../agents/hosts.ts';
import { removeSearchEndpoint, searchEndpoint, setSearchEndpoint } from '../search/endpoint.ts';
import type { HostInput, SearchInput } from './egress-contract.ts';
import { body, senderOf, type Env } from './request.ts';

export type EgressDeps = HostsDeps & {
  uid: number;
  /** Resolves once every request so far stands in the record. */
  recorded(): Promise<void>;
};

export function addEgressRoutes(app: Hono<Env>, deps: EgressDeps): void {
  app.get('/v1/agents/:name/hosts', async (c) => {
    await deps.recorded();
    return c.json(await listHosts(deps, c.req.param('name')));
  });
  app.put('/v1/agents/:name/hosts', async (c) => {
    const { host } = await body<Partial<HostInput>>(c);
    return c.json(await allowHost(deps, c.req.param('name'), host, senderOf(c, deps.uid)));
  });
  app.delete('/v1/agents/:name/hosts', async (c) => {
    const { host } = await body<Partial<HostInput>>(c);
    return c.json(await denyHost(deps, c.req.param('name'), host, senderOf(c, deps.uid)));
  });
  app.get('/v1/search', async (c) => c.json(await searchEndpoint(deps.central)));
  app.put('/v1/search', async (c) =>
    c.json(await setSearchEndpoint(deps, await body<SearchInput>(c), senderOf(c, deps.uid))),
  );
  app.delete('/v1/search', async (c) => {
    await removeSearchEndpoint(deps, senderOf(c, deps.uid));
    return c.json({ removed: true });
  });
}
