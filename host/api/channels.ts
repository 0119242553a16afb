/** The routes of channels. */
import type { Hono } from 'hono';
import { removeChannel, type RemoveDeps } from '../channels/remove.ts';
import type { Roster } from '../channels/roster.ts';
import { addHttp, type AddDeps } from '../http-chats/add.ts';
import { listHttpChats, removeHttpChat, type RemoveChatDeps } from '../http-chats/remove.ts';
import type { HttpChatInput } from './channel-contract.ts';
import { body, senderOf, type Env } from './request.ts';

export type ChannelsDeps = RemoveDeps & AddDeps & RemoveChatDeps & { roster: Roster; uid: number };

export function addChannelRoutes(app: Hono<Env>, deps: ChannelsDeps): void {
  app.get('/v1/channels', (c) => c.json(deps.roster.views()));
  app.get('/v1/channels/http/chats', async (c) => c.json(await listHttpChats(deps)));
  app.post('/v1/channels/http', async (c) =>
    c.json(await addHttp(deps, await body<HttpChatInput>(c), senderOf(c, deps.uid)), 201),
  );
  app.delete('/v1/channels/http/chats/:chat', async (c) => {
    await removeHttpChat(deps, c.req.param('chat'), senderOf(c, deps.uid));
    return c.json({ removed: `http:${c.req.param('chat')}` });
  });
  app.delete('/v1/channels/:name', async (c) => {
    await removeChannel(deps, c.req.param('name'), senderOf(c, deps.uid));
    return c.json({ removed: c.req.param('name') });
  });
}
