/**
 * What programs inside take for a proxy: a port of the sandbox's own loopback, each connection of which is handed on to the
 * session's socket as it comes. It decides nothing; what the host refuses it remembers, so that the model is told in words.
 */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { existsSync } from 'node:fs';

export type WayOut = {
  /** Where it is asked, as a URL; null where there is none. */
  proxy: string | null;
  /** For everything that is started inside. */
  env: Record<string, string>;
  refusals: Refusals;
  close(): void;
};

/** What the host refused since it was last asked, each sentence once. */
export type Refusals = { take(): string[] };

/** None: there is no way out, or nobody listens to what it says. */
export const noWayOut: WayOut = { proxy: null, env: {}, refusals: { take: () => [] }, close: () => undefined };

const REFUSALS = 20;
const HEAD_BYTES = 4 * 1024;
/** Made by the host for every sandbox, where its machine has one. */
export const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

export async function openWayOut(netSocket: string): Promise<WayOut> {
  const refused = new Set<string>();
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ path: netSocket, allowHalfOpen: true });
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        open.delete(one);
        if (!one.readableEnded) other.destroy();
      });
      one.pipe(other);
    }
    listen(upstream, (sentence) => {
      if (refused.size < REFUSALS) refused.add(sentence);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve());
  });
  const take = (): string[] => {
    const all = [...refused];
    refused.clear();
    return all;
  };
  const close = (): void => {
    server.close();
    for (const socket of open) socket.destroy();
  };
  const proxy = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { proxy, env: proxyEnv(proxy), refusals: { take }, close };
}

/** Of a connection's first answer, where it is a refusal, the sentence in its first line. */
function listen(upstream: Socket, onRefused: (sentence: string) => void): void {
  let head = '';
  const take = (chunk: Buffer): void => {
    head += chunk.toString('latin1', 0, HEAD_BYTES);
    if (!head.includes('\r\n') && head.length < HEAD_BYTES) return;
    upstream.off('data', take);
    const sentence = /^HTTP\/1\.1 (?:400|403|429|502) ([\x20-\x7e]+)\r\n/.exec(head)?.[1];
    if (sentence !== undefined) onRefused(sentence);
  };
  upstream.on('data', take);
}

/** curl, git, pip, bun and npm read these; Node where it is told to. An address, since `localhost` may be two. */
function proxyEnv(proxy: string): Record<string, string> {
  const direct = '127.0.0.1,localhost';
  const both = Object.entries({ HTTP_PROXY: proxy, HTTPS_PROXY: proxy, ALL_PROXY: proxy, NO_PROXY: direct });
  return {
    ...Object.fromEntries(
      both.flatMap(([name, value]) => [
        [name, value],
        [name.toLowerCase(), value],
      ]),
    ),
    NODE_USE_ENV_PROXY: '1',
    // Python looks for a folder of certificates by their hashes, which is not there.
    ...(existsSync(CERTIFICATES) ? { SSL_CERT_FILE: CERTIFICATES } : {}),
  };
}
