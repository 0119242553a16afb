/** Routes of the folders that people give to agents. */
import type { Hono } from 'hono';
import { getAgent, type AgentsDeps } from '../agents/agents.ts';
import { giveFolder, viewFolder, type FoldersDeps } from '../agents/give-folder.ts';
import { allowMount, listMounts, removeMount } from '../agents/mounts.ts';
import { body, senderOf, type Env } from './request.ts';

type Input = { path?: unknown };

export function addFolderRoutes(app: Hono<Env>, deps: FoldersDeps & AgentsDeps & { uid: number }): void {
  const { uid } = deps;
  app.get('/v1/mounts', async (c) => c.json(await listMounts(deps)));
  app.post('/v1/mounts', async (c) => {
    const { path } = await body<Input>(c);
    return c.json(await allowMount(deps, path, senderOf(c, uid)), 201);
  });
  app.delete('/v1/mounts', async (c) => {
    const { path } = await body<Input>(c);
    return c.json(await removeMount(deps, path, senderOf(c, uid)));
  });
  app.get('/v1/agents/:name/folder', async (c) => {
    const agent = await getAgent(deps, c.req.param('name'));
    return c.json(await viewFolder(deps, agent));
  });
  app.post('/v1/agents/:name/folder', async (c) => {
    const agent = await getAgent(deps, c.req.param('name'));
    const { path } = await body<Input>(c);
    return c.json(await giveFolder(deps, agent, path, senderOf(c, uid)));
  });
}
