import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { makeLog } from '../../log.ts';
import { Redactor } from '../../secrets/redact.ts';
import { ask, type AskDeps } from '../ask.ts';
import { endpointOf, mayCarryKey } from '../endpoint.ts';

test('an endpoint that does not answer in time is given up, and told so', async (t) => {
  const asked = Promise.withResolvers<void>();
  const server = createServer(() => asked.resolve());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const due = Promise.withResolvers<{ ms: number; fn(): void }>();
  const deps: AskDeps = {
    keys: () => ({ ok: true, value: 'k' }),
    redactor: new Redactor(),
    clock: {
      now: () => new Date(0),
      after: (ms, fn) => {
        due.resolve({ ms, fn });
        return { cancel: () => undefined };
      },
      soon: setImmediate,
    },
    log: makeLog(
      () => undefined,
      () => new Date(0),
      (text) => text,
    ),
  };
  const endpoint = endpointOf('openai', `http://${host}`, null);
  const answer = ask(deps, endpoint, { url: new URL(`http://${host}/v1/models`), method: 'GET', deadlineMs: 10_000 });
  const timer = await due.promise;
  await asked.promise;
  assert.equal(timer.ms, 10_000);
  timer.fn();
  const reason = `transient: ${host} did not answer within 10 s`;
  assert.deepEqual(await answer, { ok: false, status: null, reason, said: '' });
});

test('a key that no header takes is refused before anything is sent', async () => {
  for (const value of ['a b', 'schlüssel', 'a\u0001b', '\u{1f511}']) {
    const deps = { keys: () => ({ ok: true, value }) } as unknown as AskDeps;
    const endpoint = endpointOf('openai', 'http://127.0.0.1:1', 'MY_KEY');
    const answer = await ask(deps, endpoint, { url: new URL(endpoint.baseUrl), method: 'GET', deadlineMs: 1 });
    assert.deepEqual(answer, {
      ok: false,
      status: null,
      reason: 'auth: the secret MY_KEY holds characters that no key has',
      said: '',
    });
  }
});

test('addresses in every spelling: in the clear only where nobody outside can listen', () => {
  const open = ['http://127.1', 'http://0x7f000001', 'http://2130706433', 'http://LOCALHOST', 'http://a.localhost:1'];
  for (const url of [...open, 'http://[::1]', 'http://printer.local', 'http://a.home.arpa', 'https://8.8.8.8']) {
    assert.equal(mayCarryKey(url), true, url);
  }
  const shut = ['http://localhost.', 'http://127.0.0.1.example.com', 'http://local', 'http://192.167.1.1'];
  for (const url of [...shut, 'http://[fe00::1]', 'http://0.0.0.0', 'http://11.0.0.1', 'http://169.254.169.254']) {
    assert.equal(mayCarryKey(url), false, url);
  }
});
