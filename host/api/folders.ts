/** Routes of the folders that people give to agents. */
import type { HttpBindings } from '@hono/node-server';
import type { Context, Hono } from 'hono';
import { getAgent, type AgentsDeps } from '../agents/agents.ts';
import { giveFolder, viewFolder, type FoldersDeps } from '../agents/give-folder.ts';
import { allowMount, listMounts, removeMount } from '../agents/mounts.ts';
import { callerOf } from './caller.ts';

type Env = { Bindings: HttpBindings };
type Deps = FoldersDeps & AgentsDeps & { uid: number };

/** `body` reads the JSON object of a request, or throws `Refusal`. */
export function folderRoutes(app: Hono<Env>, deps: Deps, body: (c: Context<Env>) => Promise<{ path?: unknown }>): void {
  const caller = (c: Context<Env>): string => callerOf(c.req.header('x-halfdoor-uid'), deps.uid);
  app.get('/v1/mounts', async (c) => c.json(await listMounts(deps)));
  app.post('/v1/mounts', async (c) => c.json(await allowMount(deps, (await body(c)).path, caller(c)), 201));
  app.delete('/v1/mounts', async (c) => c.json(await removeMount(deps, (await body(c)).path, caller(c))));
  app.get('/v1/agents/:name/folder', async (c) => {
    const agent = await getAgent(deps, c.req.param('name'));
    return c.json(await viewFolder(deps, agent));
  });
  app.post('/v1/agents/:name/folder', async (c) => {
    const agent = await getAgent(deps, c.req.param('name'));
    return c.json(await giveFolder(deps, agent, (await body(c)).path, caller(c)));
  });
}
