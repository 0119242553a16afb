import { expect, test } from 'bun:test';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openWayOut, type WayOut } from '../way-out.ts';

type Stage = { way: WayOut; host: Server; call(): Socket };

/** The host's side of the socket, and programs that take the loopback for a proxy. */
async function staged(body: (stage: Stage) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'hd-way-'));
  const host = createServer({ allowHalfOpen: true });
  const sockets: Socket[] = [];
  host.on('connection', (socket) => sockets.push(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => host.listen(join(folder, 'net.sock'), () => resolve()));
  const way = await openWayOut(join(folder, 'net.sock'));
  const { hostname, port } = new URL(way.proxy ?? '');
  const call = (): Socket => {
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true }).on('error', () => undefined);
    sockets.push(socket);
    return socket;
  };
  try {
    await body({ way, host, call });
  } finally {
    way.close();
    for (const socket of sockets) socket.destroy();
    host.close();
    rmSync(folder, { recursive: true });
  }
}

async function pair({ host, call }: Stage): Promise<{ client: Socket; server: Socket }> {
  const accepted = once(host, 'connection') as Promise<[Socket]>;
  const client = call();
  const [server] = await accepted;
  return { client, server };
}

async function heard(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await once(socket, 'end');
  return text;
}

test('what one side says the other hears, after its own last word too', () =>
  staged(async (stage) => {
    const { client, server } = await pair(stage);
    client.end('question');
    expect(await heard(server)).toBe('question');
    server.end('answer'.repeat(100_000));
    expect(await heard(client)).toBe('answer'.repeat(100_000));
  }));

test('a side that is gone takes the other with it', () =>
  staged(async (stage) => {
    const one = await pair(stage);
    one.server.destroy();
    await once(one.client.resume(), 'end');
    const two = await pair(stage);
    two.client.destroy();
    await once(two.server.resume(), 'end');
  }));

test('refusals are kept for whoever asks next, each once and nothing else', () =>
  staged(async (stage) => {
    const lines = [
      ...['HTTP/1.1 403 maya may not reach a.example', 'HTTP/1.1 403 maya may not reach a.example'],
      ...[
        'HTTP/1.1 200 Connection established',
        'HTTP/1.1 502 No address is known for b.example',
        'HTTP/1.1 404 Not Found',
      ],
    ];
    for (const line of lines) {
      const { client, server } = await pair(stage);
      server.end(`${line}\r\n\r\n`);
      await heard(client);
    }
    expect(stage.way.refusals.take()).toEqual(['maya may not reach a.example', 'No address is known for b.example']);
    expect(stage.way.refusals.take()).toEqual([]);
    // Inside a tunnel nothing is a refusal, whatever it looks like.
    const { client, server } = await pair(stage);
    server.write('HTTP/1.1 200 Connection established\r\n\r\n');
    server.end('HTTP/1.1 403 forged\r\n\r\n');
    await heard(client);
    expect(stage.way.refusals.take()).toEqual([]);
  }));

test('every program is told of it in the words it knows', () =>
  staged(async ({ way }) => {
    const { proxy, env } = way;
    expect(proxy).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy']) {
      expect(env[name]).toBe(proxy ?? '');
    }
    expect([env.NO_PROXY, env.no_proxy, env.NODE_USE_ENV_PROXY]).toEqual([
      ...['127.0.0.1,localhost', '127.0.0.1,localhost', '1'],
    ]);
    await Promise.resolve();
  }));
