/** The routes of channels. */
import type { Hono } from 'hono';
import { removeChannel, type RemoveDeps } from '../channels/remove.ts';
import { channelViews } from '../channels/views.ts';
import { senderOf, type Env } from './request.ts';
import { addTelegramRoutes, type TelegramRoutesDeps } from './telegram.ts';

export type ChannelsDeps = RemoveDeps & TelegramRoutesDeps;

export function addChannelRoutes(app: Hono<Env>, deps: ChannelsDeps): void {
  app.get('/v1/channels', async (c) => c.json(await channelViews(deps.central, deps.roster)));
  app.delete('/v1/channels/:name', async (c) => {
    await removeChannel(deps, c.req.param('name'), senderOf(c, deps.uid));
    return c.json({ removed: c.req.param('name') });
  });
  addTelegramRoutes(app, deps);
}
