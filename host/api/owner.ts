/** The routes by which an owner changes what agents are and what the host holds for them. */
import type { Hono } from 'hono';
import { checkAgent } from '../agents/check.ts';
import { deleteAgent, type DeleteDeps } from '../agents/delete.ts';
import { listModels } from '../agents/models.ts';
import { updateAgent, type UpdateDeps } from '../agents/update.ts';
import type { AskDeps } from '../egress/ask.ts';
import type { Secrets } from '../secrets/secrets.ts';
import type { AgentPatch, ModelsInput } from './contract.ts';
import { body, senderOf, type Env } from './request.ts';

export type OwnerDeps = UpdateDeps & DeleteDeps & AskDeps & { secrets: Secrets; uid: number };

export function addOwnerRoutes(app: Hono<Env>, deps: OwnerDeps): void {
  const { secrets, uid } = deps;
  app.get('/v1/secrets', async (c) => c.json(await secrets.list()));
  app.put('/v1/secrets/:name', async (c) => {
    const { value } = await body<{ value?: unknown }>(c);
    return c.json(await secrets.set(c.req.param('name'), value, senderOf(c, uid)));
  });
  app.delete('/v1/secrets/:name', async (c) => {
    await secrets.remove(c.req.param('name'), senderOf(c, uid));
    return c.json({ removed: c.req.param('name') });
  });
  app.patch('/v1/agents/:name', async (c) =>
    c.json(await updateAgent(deps, c.req.param('name'), await body<AgentPatch>(c), senderOf(c, uid))),
  );
  app.delete('/v1/agents/:name', async (c) => {
    await deleteAgent(deps, c.req.param('name'), senderOf(c, uid));
    return c.json({ deleted: c.req.param('name') });
  });
  app.post('/v1/agents/:name/check', async (c) => c.json(await checkAgent(deps, c.req.param('name'))));
  app.post('/v1/models', async (c) => c.json(await listModels(deps, await body<ModelsInput>(c))));
}
