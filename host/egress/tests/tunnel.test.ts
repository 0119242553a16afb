import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { HeldClock } from '../../../tests/fakes/held-clock.ts';
import { mappedOutside, stagedWayOut } from '../../../tests/fakes/way-out.ts';
import { makeLog } from '../../log.ts';
import { Redactor } from '../../secrets/redact.ts';
import { GUARDS } from '../guards.ts';
import { openNet } from '../net.ts';
import type { Noted } from '../way-out.ts';

const HOST = 'allowed.example';
const PUBLIC = '93.184.216.34';

/** A session's socket, and a host that does with each connection what the test says. */
async function stage(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'hd-tunnel-'));
  const clock = new HeldClock();
  const host: Server = createServer({ allowHalfOpen: true });
  await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
  const ports = { [PUBLIC]: (host.address() as AddressInfo).port };
  const over = Promise.withResolvers<Noted>();
  const { wayOut, rules } = stagedWayOut({
    clock,
    outside: mappedOutside({ [HOST]: [[PUBLIC]] }, ports),
    guards: { hello: () => ({ state: 'passed' }) },
    rules: [HOST],
    onNote: over.resolve,
  });
  const log = makeLog(
    () => undefined,
    () => new Date(0),
    (text) => text,
  );
  const keys = () => ({ ok: false, fault: 'none', next: 'none' }) as const;
  const agent = { sessionId: 's1', id: 'a1', name: 'maya', api: null, baseUrl: null, key: null };
  const path = join(folder, 'net.sock');
  const searchEndpoint = () => Promise.resolve(null);
  const deps = { keys, redactor: new Redactor(), clock, log, wayOut, searchEndpoint };
  const net = await openNet(deps, path, agent, () => undefined);
  t.after(async () => {
    await net.close();
    host.close();
    rmSync(folder, { recursive: true });
  });
  /** Both ends of one tunnel, the first byte passed on. */
  const open = async (): Promise<{ client: Socket; server: Socket }> => {
    const accepted = once(host, 'connection') as Promise<[Socket]>;
    const client = connect({ path, allowHalfOpen: true }).on('error', () => undefined);
    client.write(`CONNECT ${HOST}:443 HTTP/1.1\r\n\r\n`);
    await once(client, 'data');
    client.write('!');
    const [server] = await accepted;
    server.on('error', () => undefined);
    assert.equal(String(await once(server, 'data')), '!');
    return { client, server };
  };
  return { open, net, clock, wayOut, rules, over: over.promise };
}

/** The other side is closed, whatever it had still to say. */
async function closed(socket: Socket): Promise<void> {
  if (!socket.readableEnded) await once(socket.resume(), 'end');
  socket.destroy();
}

test('a side that has said all is still told the rest', async (t) => {
  const { open, over } = await stage(t);
  const { client, server } = await open();
  client.end('last words');
  const heard: string[] = [];
  server.setEncoding('utf8').on('data', (chunk: string) => heard.push(chunk));
  await once(server, 'end');
  assert.equal(heard.join(''), 'last words');
  server.write('and ');
  server.end('an answer');
  let text = '';
  client.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await once(client, 'end');
  assert.equal(text, 'and an answer');
  const { verdict, reason, up, down } = await over;
  assert.deepEqual([verdict, reason, up, down], ['allow', 'done', 11, 13]);
});

test('a client that reads nothing holds the host back, not the memory', async (t) => {
  const { open } = await stage(t);
  const { client, server } = await open();
  client.pause();
  const chunk = Buffer.alloc(64 * 1024);
  let written = 0;
  // Until the kernel and all in between are full: then no write is taken for as long as nobody reads.
  const pour = (): void => {
    while (written < 512 * 1024 * 1024 && server.write(chunk)) written += chunk.length;
  };
  server.on('drain', pour);
  pour();
  for (let before = -1; before !== server.bytesWritten;) {
    before = server.bytesWritten;
    for (let n = 0; n < 200; n++) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(written < 64 * 1024 * 1024, String(written));
  const rss = process.memoryUsage().external;
  assert.ok(rss < 256 * 1024 * 1024, String(rss));
});

test('either side gone, the other is closed', async (t) => {
  const { open, over } = await stage(t);
  const one = await open();
  one.server.resetAndDestroy();
  await closed(one.client);
  assert.equal((await over).reason, 'broke-off');
  const two = await open();
  two.client.destroy();
  // It may have ended its half only: that it hears nothing any more shows when it is spoken to.
  const speak = (): void => void (two.server.destroyed || (two.server.write('to nobody'), setImmediate(speak)));
  speak();
  await new Promise((resolve) => two.server.resume().on('close', resolve));
});

test('the session gone, nothing of its tunnels is left', async (t) => {
  const { open, net, over } = await stage(t);
  const tunnels = [await open(), await open(), await open()];
  await net.close();
  for (const { client, server } of tunnels) await Promise.all([closed(client), closed(server)]);
  assert.equal((await over).reason, 'session-ended');
});

test('who says nothing for long is cut off, who says something is not', async (t) => {
  const { open, clock, over } = await stage(t);
  const { client, server } = await open();
  const { tunnelIdleMs } = GUARDS.limits;
  await clock.pass(tunnelIdleMs - 1);
  server.write('still here');
  await once(client, 'data');
  await clock.pass(tunnelIdleMs);
  assert.equal(client.destroyed, false);
  await clock.pass(2 * tunnelIdleMs);
  assert.equal((await over).reason, 'idle');
  await closed(client);
});

test('a rule taken back ends what is open through it', async (t) => {
  const { open, wayOut, rules, over } = await stage(t);
  const { client } = await open();
  await wayOut.recheck('somebody else');
  await wayOut.recheck('a1');
  assert.equal(client.destroyed, false);
  rules.pop();
  await wayOut.recheck('a1');
  assert.deepEqual([(await over).verdict, (await over).reason], ['deny', 'revoked']);
  await closed(client);
});
