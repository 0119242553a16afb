import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { readHello } from '../client-hello.ts';

/** What Node's own TLS client begins with. */
async function helloFor(servername: string): Promise<Buffer> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const client = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', servername });
  client.on('error', () => undefined);
  const [socket] = await accepted;
  const [hello] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return hello;
}

const u16 = (n: number): number[] => [n >> 8, n & 255];
const vector = (body: readonly number[]): number[] => [...u16(body.length), ...body];
const extension = (type: number, body: readonly number[]): number[] => [...u16(type), ...vector(body)];
const bytesOf = (text: string): number[] => [...Buffer.from(text, 'latin1')];
const serverName = (...names: string[]): number[] =>
  extension(0, vector(names.flatMap((name) => [0, ...vector(bytesOf(name))])));

/** A handshake message of this kind with these extensions; `version` as of TLS 1.2. */
function message(extensions: readonly number[], type = 1): number[] {
  const ciphers = vector([0x13, 0x01]);
  const body = [3, 3, ...Array.from({ length: 32 }, () => 7), 0, ...ciphers, 1, 0, ...vector(extensions)];
  return [type, body.length >> 16, ...u16(body.length & 0xffff), ...body];
}

const record = (body: readonly number[], type = 22): number[] => [type, 3, 1, ...vector(body)];
const hello = (...extensions: number[][]): Buffer => Buffer.from(record(message(extensions.flat())));
const named = (name: string): Buffer => hello(serverName(name));
const read = (bytes: Buffer): string => {
  const it = readHello(bytes, 'example.com');
  return it.state === 'refused' ? it.why : it.state;
};

test('a client that names the host is passed on, whatever else it says', async () => {
  assert.equal(read(await helloFor('example.com')), 'passed');
  assert.equal(read(named('example.com')), 'passed');
  assert.equal(read(named('EXAMPLE.com')), 'passed');
  assert.equal(read(hello(extension(43, [2, 3, 4]), serverName('example.com'), extension(0x0a0a, []))), 'passed');
  const more = Buffer.concat([named('example.com'), Buffer.from([20, 3, 3, 0, 1, 1])]);
  assert.equal(read(more), 'passed');
});

test('every beginning of one asks for more, byte by byte', async () => {
  const whole = await helloFor('example.com');
  for (let n = 0; n < whole.length; n++) assert.equal(read(whole.subarray(0, n)), 'more', String(n));
});

test('cut into records it is read all the same, up to its limits', () => {
  const pieces = (body: number[], bytes: number): Buffer =>
    Buffer.from(body.flatMap((_, at) => (at % bytes === 0 ? record(body.slice(at, at + bytes)) : [])));
  assert.equal(read(pieces(message(serverName('example.com')), 2)), 'passed');
  assert.equal(read(pieces(message(serverName('other.com')), 2)), 'other-name');
  assert.equal(read(pieces(message(serverName('example.com')), 1)), 'not-tls');
  const padded = (n: number): number[] => message([...serverName('example.com'), ...extension(21, Array(n).fill(0))]);
  assert.equal(read(pieces(padded(16_000), 1000)), 'passed');
  assert.equal(read(pieces(padded(16_400), 1000)), 'too-large');
  const declared = Buffer.from(record([1, 1, 0, 0]));
  assert.equal(read(declared), 'too-large');
});

const REFUSED: Readonly<Record<string, [why: string, bytes: Buffer]>> = {
  'another name': ['other-name', named('other.com')],
  'a name below it': ['other-name', named('www.example.com')],
  'a name with a dot at its end': ['other-name', named('example.com.')],
  'a name with a zero in it': ['other-name', named('example.com\u0000.other.com')],
  'an empty name': ['other-name', named('')],
  'no name': ['no-name', hello(extension(43, [2, 3, 4]))],
  'no extension at all': ['no-name', hello()],
  'an address for a name': ['other-name', named('93.184.216.34')],
  'two names': ['not-tls', hello(serverName('example.com', 'other.com'))],
  'the name twice': ['not-tls', hello(serverName('example.com'), serverName('other.com'))],
  'a name of another kind': ['not-tls', hello(extension(0, vector([1, ...vector(bytesOf('example.com'))])))],
  'a list longer than its extension': ['not-tls', hello(extension(0, [0, 200, 0, 0, 1, 97]))],
  'bytes behind the list': ['not-tls', hello(extension(0, [...vector([0, ...vector([97])]), 1]))],
  'another name within an encrypted hello': [
    'hidden-name',
    hello(serverName('example.com'), extension(0xfe0d, [0, 1])),
  ],
  'its draft before it': ['hidden-name', hello(serverName('example.com'), extension(0xffce, [0, 1]))],
  'http in the clear': ['not-tls', Buffer.from('GET / HTTP/1.1\r\nHost: example.com\r\n\r\n')],
  ssh: ['not-tls', Buffer.from('SSH-2.0-x\r\n')],
  'a hello of SSL 2': ['not-tls', Buffer.from([0x80, 0x2e, 1, 3, 1, 0, 0x15])],
  'another message first': ['not-tls', Buffer.from(record(message(serverName('example.com'), 2)))],
  'an alert first': ['not-tls', Buffer.from(record([1, 0], 21))],
  'an empty record': ['not-tls', Buffer.from(record([]))],
  'a record over its limit': ['not-tls', Buffer.from([22, 3, 1, 0x40, 1])],
  'an old version of the record': ['not-tls', Buffer.from([22, 2, 0, 0, 1])],
  'extensions shorter than they say': ['not-tls', Buffer.from(record(message([0, 0, 0, 200, 1])))],
};

for (const [what, [why, bytes]] of Object.entries(REFUSED)) {
  test(`refused: ${what}`, () => assert.equal(read(bytes), why));
}
