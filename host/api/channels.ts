/** The routes of channels. */
import type { Hono } from 'hono';
import { removeChannel, type RemoveDeps } from '../channels/remove.ts';
import type { Roster } from '../channels/roster.ts';
import { senderOf, type Env } from './request.ts';

export type ChannelsDeps = RemoveDeps & { roster: Roster; uid: number };

export function addChannelRoutes(app: Hono<Env>, deps: ChannelsDeps): void {
  app.get('/v1/channels', (c) => c.json(deps.roster.views()));
  app.delete('/v1/channels/:name', async (c) => {
    await removeChannel(deps, c.req.param('name'), senderOf(c, deps.uid));
    return c.json({ removed: c.req.param('name') });
  });
}
