import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { outsideBy } from '../outside.ts';

const A = 1;
const AAAA = 28;
const NO_SUCH_NAME = 3;

/** A name server (RFC 1035) that knows these: addresses as bytes, by name and type. Returns where it listens. */
async function nameServer(t: TestContext, known: Readonly<Record<string, readonly number[][]>>): Promise<string> {
  const server = createSocket('udp4');
  server.on('message', (query, from) => {
    const labels: string[] = [];
    let at = 12;
    for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
      labels.push(query.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
    const type = query.readUInt16BE(at + 1);
    const answers = (known[labels.join('.')] ?? []).filter((it) => (it.length === 4 ? A : AAAA) === type);
    const question = query.subarray(12, at + 5);
    const head = Buffer.alloc(12);
    query.copy(head, 0, 0, 2);
    head.writeUInt16BE(0x8180 | (labels.join('.') in known ? 0 : NO_SUCH_NAME), 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(answers.length, 6);
    const records = answers.map((it) => Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 0, 0, it.length, ...it]));
    server.send(Buffer.concat([head, question, ...records]), from.port, from.address);
  });
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => void server.close());
  return `127.0.0.1:${server.address().port}`;
}

test('both versions of a name are asked for, the older at the front; what has neither has none', async (t) => {
  const six = [0x26, 6, 0x47, 0, ...Array.from({ length: 11 }, () => 0), 1];
  const known = { 'a.example': [six, [93, 184, 216, 34], [1, 1, 1, 1]], 'six.example': [six], 'none.example': [] };
  const { resolve } = outsideBy([await nameServer(t, known)]);
  assert.deepEqual(await resolve('a.example'), ['93.184.216.34', '1.1.1.1', '2606:4700::1']);
  assert.deepEqual(await resolve('six.example'), ['2606:4700::1']);
  assert.deepEqual(await resolve('none.example'), []);
  assert.deepEqual(await resolve('nobody.example'), []);
});

test('no file of this machine is asked', async (t) => {
  const { resolve } = outsideBy([await nameServer(t, {})]);
  // RFC 6761 lets a resolver answer this one by itself, with addresses that lead nowhere from here.
  for (const address of await resolve('localhost')) assert.match(address, /^(127\.0\.0\.1|::1)$/);
  assert.deepEqual(await resolve('127.1'), []);
});

test('a connection that is dialled stays open for the rest when the other side has said all', async (t) => {
  const server = createServer({ allowHalfOpen: true }, (socket) => void socket.end('all'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => void server.close());
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const socket = outsideBy([]).dial('127.0.0.1', (server.address() as AddressInfo).port);
  const [other] = await accepted;
  await once(socket.resume(), 'end');
  socket.end('more');
  assert.equal(String(await once(other, 'data')), 'more');
});
