/** The model endpoint may be broken or somebody else's: whatever it answers, whoever asked gets an answer, and soon. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { askEndpoint } from './endpoint-stage.ts';

const pour = (socket: Socket): void => {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  while (!socket.destroyed && socket.write(chunk));
  if (!socket.destroyed) socket.once('drain', () => pour(socket));
};

test('one that changes the protocol is an endpoint that could not be reached', { timeout: 120_000 }, async (t) => {
  const head = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n';
  assert.equal((await askEndpoint(t, (socket) => socket.write(head))).status, 502);
});

test('an error whose words never end is told without them', { timeout: 120_000 }, async (t) => {
  const { status, body } = await askEndpoint(t, (socket) => {
    socket.write('HTTP/1.1 500 No\r\nConnection: close\r\n\r\n');
    pour(socket);
  });
  assert.equal(status, 500);
  assert.ok(body.length < 1024);
});

test('an error whose words do not come is told without them', { timeout: 120_000 }, async (t) => {
  const got = await askEndpoint(t, (socket) => socket.write('HTTP/1.1 401 No\r\nContent-Length: 100\r\n\r\n'));
  assert.equal(got.status, 401);
});

test('an answer without end is cut off', { timeout: 120_000 }, async (t) => {
  const { status, body, whole } = await askEndpoint(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 1000000000\r\n\r\n');
    pour(socket);
  });
  assert.deepEqual([status, whole], [200, false]);
  assert.ok(body.length < 64 * 1024 * 1024);
});
