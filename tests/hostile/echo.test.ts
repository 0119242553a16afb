/** An endpoint that says again the key it was given, as proxies do that show a request's headers: the key does not come inside. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { askEndpoint, type Got } from './endpoint-stage.ts';

const KEY = 'sk-ant-canary-7Q2mX9wLr4Tb8ZkVn3+/=';
/** What is no secret of anybody: it comes inside, so that what holds the key back is the key. */
const OTHER = 'sk-ant-another-7Q2mX9wLr4Tb8ZkVn+/=';

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n';

const hex = (text: string): string => Buffer.from(text).toString('hex');
const base64 = (text: string): string => Buffer.from(text).toString('base64').replaceAll('=', '');
const escaped = (text: string): string =>
  text.replaceAll(/[^]/g, (it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`);

const FORMS: readonly [name: string, form: (key: string) => string][] = [
  ['as it is', (key) => key],
  ['in capitals', (key) => key.toUpperCase()],
  ['in small letters', (key) => key.toLowerCase()],
  ['hex', hex],
  ['base64', base64],
  ['base64 within a longer text', (key) => base64(`Bearer ${key} and more`)],
  ['for an address', encodeURIComponent],
  ['for an address within an address', (key) => encodeURIComponent(encodeURIComponent(key))],
  ['JSON, each character escaped', escaped],
  ['HTML', (key) => key.replaceAll('/', '&#x2F;').replaceAll('=', '&#x3D;')],
];

const said = ({ body }: Got): string => body.toString('latin1');

/** Says these pieces one by one, each as a packet of its own, and ends. */
const inPieces =
  (pieces: readonly string[]) =>
  async (socket: Socket): Promise<void> => {
    socket.setNoDelay(true);
    socket.write(`${HEAD}\r\n`);
    for (const piece of pieces) {
      if (!socket.write(piece)) await once(socket, 'drain');
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.end();
  };

for (const [name, form] of FORMS) {
  test(`in an answer, ${name}: as a whole, and cut at every place`, { timeout: 120_000 }, async (t) => {
    for (const [key, comes] of [
      [OTHER, true],
      [KEY, false],
    ] as const) {
      const text = `data: {"error":"you sent ${form(key)} here"}\n\n`;
      const whole = said(await askEndpoint(t, (socket) => void inPieces([text])(socket), KEY));
      const cut = said(await askEndpoint(t, (socket) => void inPieces([...text])(socket), KEY));
      assert.equal(whole, cut);
      if (comes) assert.equal(whole, text);
      else assert.match(whole, /^data: \{"error":"you sent .{0,20}\[KEY\].{0,20} here"\}\n\n$/);
    }
  });
}

test('what only begins like the key comes whole, and at once where an event ends', { timeout: 120_000 }, async (t) => {
  const text = `data: ${KEY.slice(0, -1)}\n\ndata: ${KEY.slice(0, 9)}`;
  assert.equal(said(await askEndpoint(t, (socket) => void inPieces([text])(socket), KEY)), text);
});

test('bytes that are no text come as they are', { timeout: 120_000 }, async (t) => {
  const bytes = Buffer.from(Array.from({ length: 512 }, (_, n) => n % 256));
  const say = (socket: Socket): void => void socket.end(Buffer.concat([Buffer.from(`${HEAD}\r\n`), bytes]));
  assert.deepEqual((await askEndpoint(t, say, KEY)).body, bytes);
});

test('in the headers of an answer', { timeout: 120_000 }, async (t) => {
  for (const status of ['200 OK', '429 Too Many Requests', '500 No', '529 Overloaded']) {
    for (const header of ['request-id', 'x-request-id', 'retry-after', 'cache-control', 'content-type']) {
      for (const form of [KEY, hex(KEY), KEY.toLowerCase(), `x/${KEY}`]) {
        const answer = `HTTP/1.1 ${status}\r\n${header}: ${form}\r\nConnection: close\r\n\r\n{}`;
        const { headers } = await askEndpoint(t, (socket) => void socket.end(answer), KEY);
        assert.ok(!JSON.stringify(headers).includes(form), `${status} ${header}: ${JSON.stringify(headers)}`);
      }
    }
  }
});

test('a time to wait and the name of a request come as they were said', { timeout: 120_000 }, async (t) => {
  for (const wait of ['30', 'Wed, 21 Oct 2026 07:28:00 GMT']) {
    for (const status of ['200 OK', '429 Too Many Requests']) {
      const answer = `HTTP/1.1 ${status}\r\nretry-after: ${wait}\r\nConnection: close\r\n\r\n{}`;
      const { headers } = await askEndpoint(t, (socket) => void socket.end(answer), KEY);
      assert.equal(headers['retry-after'], wait);
    }
  }
  const answer = 'HTTP/1.1 200 OK\r\nrequest-id: req_011CSHoEeqs5C35K2UUqR7Fy\r\nConnection: close\r\n\r\n{}';
  const { headers } = await askEndpoint(t, (socket) => void socket.end(answer), KEY);
  assert.equal(headers['request-id'], 'req_011CSHoEeqs5C35K2UUqR7Fy');
});

test('packed, though nobody asked for it: it is no answer', { timeout: 120_000 }, async (t) => {
  const body = gzipSync(`you sent ${KEY}`);
  const head = `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`;
  const got = await askEndpoint(t, (socket) => void socket.end(Buffer.concat([Buffer.from(head), body])), KEY);
  assert.equal(got.status, 502);
  assert.ok(!got.body.includes(body));
});
