/** The routes of channels, and of who listens in them. */
import type { Hono } from 'hono';
import { listWirings, updateWiring } from '../agents/wirings.ts';
import { forgetChannel, type ForgetDeps } from '../channels/forget.ts';
import { removeChannel, type RemoveDeps } from '../channels/remove.ts';
import { channelViews } from '../channels/views.ts';
import { addHttp, type AddDeps } from '../http-chats/add.ts';
import { listHttpChats, removeHttpChat, type RemoveChatDeps } from '../http-chats/remove.ts';
import type { HttpChatInput, WiringPatch } from './channel-contract.ts';
import { body, senderOf, type Env } from './request.ts';
import { addTelegramRoutes, type TelegramRoutesDeps } from './telegram.ts';

export type ChannelsDeps = RemoveDeps & ForgetDeps & AddDeps & RemoveChatDeps & TelegramRoutesDeps;

export function addChannelRoutes(app: Hono<Env>, deps: ChannelsDeps): void {
  app.get('/v1/channels', async (c) => c.json(await channelViews(deps.central, deps.roster)));
  app.get('/v1/channels/http/chats', async (c) => c.json(await listHttpChats(deps)));
  app.post('/v1/channels/http', async (c) =>
    c.json(await addHttp(deps, await body<HttpChatInput>(c), senderOf(c, deps.uid)), 201),
  );
  app.delete('/v1/channels/http/chats/:chat', async (c) => {
    await removeHttpChat(deps, c.req.param('chat'), senderOf(c, deps.uid));
    return c.json({ removed: `http:${c.req.param('chat')}` });
  });
  app.delete('/v1/channels/:name', async (c) => {
    const actor = senderOf(c, deps.uid);
    await forgetChannel(deps, await removeChannel(deps, c.req.param('name'), actor), actor);
    return c.json({ removed: c.req.param('name') });
  });
  addTelegramRoutes(app, deps);
  const wirings = { ...deps, channel: (name: string) => deps.roster.get(name) };
  app.get('/v1/wirings', async (c) => c.json(await listWirings(wirings)));
  app.patch('/v1/wirings', async (c) =>
    c.json(await updateWiring(wirings, await body<WiringPatch>(c), senderOf(c, deps.uid))),
  );
}
