/** The session's guarded way out: a Unix socket in its own folder. The socket is the identity; there is no other way. */
import { createServer } from 'node:http';
import type { ModelApi } from '@halfdoor/protocol/message';
import { endpointOf } from './endpoint.ts';
import { serveModel, type ModelDeps } from './model.ts';

export type NetAgent = { name: string; api: ModelApi | null; baseUrl: string | null; key: string | null };

/** Listens at `path` for one session. `onSilent`: a model that was asked says nothing. `close` ends what is under way. */
export async function openNet(
  deps: Omit<ModelDeps, 'onSilent'>,
  path: string,
  agent: NetAgent,
  onSilent: () => void,
): Promise<{ close(): Promise<void> }> {
  const endpoint = agent.api === null ? null : endpointOf(agent.api, agent.baseUrl, agent.key);
  const ours = { ...deps, onSilent };
  const server = createServer((incoming, outgoing) => serveModel(ours, endpoint, incoming, outgoing));
  server.maxConnections = 16;
  server.on('clientError', (_error, socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve());
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
