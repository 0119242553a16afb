/** The model endpoint may be broken or somebody else's: whatever it answers, whoever asked gets an answer, and soon. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../host/clock.ts';
import { openNet } from '../../host/egress/net.ts';
import { makeLog } from '../../host/log.ts';
import { Redactor } from '../../host/secrets/redact.ts';
import { stagedWayOut } from '../fakes/way-out.ts';

type Got = { status: number; bytes: number; whole: boolean };

/** Asks through a session's socket; `say` is all the endpoint does. */
async function ask(t: TestContext, say: (socket: Socket) => void): Promise<Got> {
  const folder = mkdtempSync(join(tmpdir(), 'hd-net-'));
  const sockets = new Set<Socket>();
  const endpoint = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    socket.once('data', () => say(socket));
  });
  await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
  const { port } = endpoint.address() as AddressInfo;
  const log = makeLog(
    () => undefined,
    () => new Date(),
    (text) => text,
  );
  const agent = { sessionId: 's1', id: 'a1', name: 'a', api: 'openai', baseUrl: `http://127.0.0.1:${port}` } as const;
  const socketPath = join(folder, 'net.sock');
  const keys = () => ({ ok: false, fault: 'none here', next: 'none' }) as const;
  const searchEndpoint = () => Promise.resolve(null);
  const deps = {
    keys,
    redactor: new Redactor(),
    clock: systemClock,
    log,
    wayOut: stagedWayOut().wayOut,
    searchEndpoint,
  };
  const net = await openNet(deps, socketPath, { ...agent, key: null }, () => undefined);
  t.after(async () => {
    await net.close();
    for (const socket of sockets) socket.destroy();
    endpoint.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, method: 'POST', path: '/v1/chat/completions' }, (answer) => {
      let bytes = 0;
      const got = (): void => resolve({ status: answer.statusCode ?? 0, bytes, whole: answer.complete });
      answer.on('data', (chunk: Buffer) => (bytes += chunk.length));
      answer.on('error', () => undefined).on('close', got);
    });
    asked.on('error', reject);
    asked.end('{"model":"m","messages":[]}');
  });
}

const pour = (socket: Socket): void => {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  while (!socket.destroyed && socket.write(chunk));
  if (!socket.destroyed) socket.once('drain', () => pour(socket));
};

test('one that changes the protocol is an endpoint that could not be reached', { timeout: 120_000 }, async (t) => {
  const head = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n';
  assert.equal((await ask(t, (socket) => socket.write(head))).status, 502);
});

test('an error whose words never end is told without them', { timeout: 120_000 }, async (t) => {
  const { status, bytes } = await ask(t, (socket) => {
    socket.write('HTTP/1.1 500 No\r\nConnection: close\r\n\r\n');
    pour(socket);
  });
  assert.equal(status, 500);
  assert.ok(bytes < 1024);
});

test('an error whose words do not come is told without them', { timeout: 120_000 }, async (t) => {
  const got = await ask(t, (socket) => socket.write('HTTP/1.1 401 No\r\nContent-Length: 100\r\n\r\n'));
  assert.equal(got.status, 401);
});

test('an answer without end is cut off', { timeout: 120_000 }, async (t) => {
  const { status, bytes, whole } = await ask(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 1000000000\r\n\r\n');
    pour(socket);
  });
  assert.deepEqual([status, whole], [200, false]);
  assert.ok(bytes < 64 * 1024 * 1024);
});
