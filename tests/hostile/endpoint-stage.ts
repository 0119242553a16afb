/** A model endpoint that says, byte for byte, what a test tells it to, and a session that asks it at its own socket. */
import { mkdtempSync, rmSync } from 'node:fs';
import { request, type IncomingHttpHeaders } from 'node:http';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { systemClock } from '../../host/clock.ts';
import { openNet } from '../../host/egress/net.ts';
import { makeLog } from '../../host/log.ts';
import { Redactor } from '../../host/secrets/redact.ts';
import { stagedWayOut } from '../fakes/way-out.ts';

/** `whole`: the answer was not broken off. */
export type Got = { status: number; headers: IncomingHttpHeaders; body: Buffer; whole: boolean };

/** `say` is all the endpoint does once it was asked. `key`: what the host adds; null: the endpoint wants none. */
export async function askEndpoint(
  t: TestContext,
  say: (socket: Socket) => void,
  key: string | null = null,
): Promise<Got> {
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
  const found = key === null ? { ok: false, fault: 'none here', next: 'none' } : { ok: true, value: key };
  const deps = {
    keys: () => found as { ok: true; value: string },
    redactor: new Redactor(),
    clock: systemClock,
    log,
    wayOut: stagedWayOut().wayOut,
    searchEndpoint: () => Promise.resolve(null),
  };
  const net = await openNet(deps, socketPath, { ...agent, key: key === null ? null : 'KEY' }, () => undefined);
  t.after(async () => {
    await net.close();
    for (const socket of sockets) socket.destroy();
    endpoint.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, method: 'POST', path: '/v1/chat/completions' }, (answer) => {
      const chunks: Buffer[] = [];
      const { headers } = answer;
      const got = (): void =>
        resolve({ status: answer.statusCode ?? 0, headers, body: Buffer.concat(chunks), whole: answer.complete });
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', () => undefined).on('close', got);
    });
    asked.on('error', reject);
    asked.end('{"model":"m","messages":[]}');
  });
}
