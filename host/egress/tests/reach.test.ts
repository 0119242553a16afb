import assert from 'node:assert/strict';
import { connect, createServer, Socket, type AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { LIMITS } from '@halfdoor/protocol/limits';
import { HeldClock } from '../../../tests/fakes/held-clock.ts';
import { isGlobalUnicast } from '../address.ts';
import { reach, type ReachDeps } from '../reach.ts';

const GOOD = '1.1.1.1';

/** `addresses` as the resolver gives them: GOOD is served, 1.0.0.1 refuses, 9.9.9.9 never answers. */
async function stage(t: TestContext, resolve: () => Promise<string[]>) {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const dialled: string[] = [];
  const opened: Socket[] = [];
  const clock = new HeldClock();
  const dial = (address: string, to: number): Socket => {
    dialled.push(`${address}:${to}`);
    const silent = address === '9.9.9.9';
    const socket = silent ? new Socket() : connect({ host: '127.0.0.1', port: address === GOOD ? port : 1 });
    opened.push(socket);
    return socket;
  };
  const deps: ReachDeps = { clock, isGlobal: isGlobalUnicast, outside: { resolve, dial } };
  t.after(() => opened.forEach((socket) => socket.destroy()));
  return { deps, clock, dialled, opened };
}

const listed =
  (...addresses: string[]) =>
  () =>
    Promise.resolve(addresses);
const never = new AbortController().signal;

test('the first public address that takes the connection', async (t) => {
  const { deps, dialled } = await stage(t, listed('127.0.0.1', '1.0.0.1', '10.0.0.1', GOOD, '8.8.8.8'));
  const reached = await reach(deps, 'a.example', never);
  assert.equal(reached.ok, true);
  assert.deepEqual(dialled, ['1.0.0.1:443', `${GOOD}:443`]);
});

test('an address that does not answer gives way to the next in time', async (t) => {
  const { deps, clock, opened } = await stage(t, listed('9.9.9.9', GOOD));
  const reaching = reach(deps, 'a.example', never);
  await clock.pass(LIMITS.dialMs / 4);
  assert.equal((await reaching).ok, true);
  assert.deepEqual(
    opened.map((socket) => socket.destroyed),
    [true, false],
  );
});

test('why a host is not reached', async (t) => {
  const none = await stage(t, listed());
  assert.deepEqual(await reach(none.deps, 'a.example', never), { ok: false, why: 'no-address' });
  const failed = await stage(t, () => Promise.reject(new Error('SERVFAIL')));
  assert.deepEqual(await reach(failed.deps, 'a.example', never), { ok: false, why: 'no-address' });
  const inward = await stage(t, listed('10.0.0.1', '::1', 'fe80::1%lo'));
  assert.deepEqual(await reach(inward.deps, 'a.example', never), { ok: false, why: 'not-public' });
  assert.deepEqual(inward.dialled, []);
  const shut = await stage(t, listed(...Array.from({ length: 9 }, () => '1.0.0.1')));
  assert.deepEqual(await reach(shut.deps, 'a.example', never), { ok: false, why: 'unreachable' });
  assert.equal(shut.dialled.length, 4);
});

test('not wanted any more, it leaves no connection behind', async (t) => {
  const end = new AbortController();
  const { deps, opened, dialled } = await stage(t, listed('9.9.9.9', GOOD));
  const reaching = reach(deps, 'a.example', end.signal);
  await new Promise((resolve) => setImmediate(resolve));
  end.abort();
  assert.deepEqual(await reaching, { ok: false, why: 'unreachable' });
  assert.deepEqual([dialled.length, opened[0]?.destroyed], [1, true]);
});
