// needs: userns
/**
 * The way out, attacked from inside a real sandbox: where it leads. Each attack stands beside its control: the same words,
 * with the one guard taken away that held it.
 */
import assert from 'node:assert/strict';
import { lookup } from 'node:dns/promises';
import { connect } from 'node:net';
import { test } from 'node:test';
import type { Guards } from '../../host/egress/guards.ts';
import type { Outside } from '../../host/egress/outside.ts';
import { mappedOutside } from '../fakes/way-out.ts';
import { anyAddress, anyHello, lenient, openAttacker, openServers, PUBLIC, rules } from './egress-stage.ts';

test('an allowed host is reached, by its name', async (t) => {
  const { open } = await openServers(t);
  const outside = mappedOutside({ 'allowed.example': [[PUBLIC]] }, { [PUBLIC]: open });
  const { attack, noted } = await openAttacker(t, { rules, outside });
  const reached = 'open, as allowed.example, told placeholder';
  assert.equal(await attack('browse', 'allowed.example:443', 'allowed.example'), reached);
  assert.equal(await attack('browse', 'ALLOWED.example.:443', 'allowed.example'), reached);
  assert.match(
    await attack('browse', 'other.example:443', 'other.example'),
    /^HTTP\/1\.1 403 maya may not reach other\.example\. .* agents allow maya other\.example$/,
  );
  assert.deepEqual(
    noted.map(({ host, verdict, reason }) => ({ host, verdict, reason })),
    [
      { host: 'allowed.example', verdict: 'allow', reason: 'done' },
      { host: 'allowed.example', verdict: 'allow', reason: 'done' },
      { host: 'other.example', verdict: 'deny', reason: 'not-allowed' },
    ],
  );
  assert.ok((noted[0]?.up ?? 0) > 100 && (noted[0]?.down ?? 0) > 100);
});

const INWARD: Readonly<Record<string, string>> = {
  'the loopback of this machine': '127.0.0.1',
  'the loopback, version 6': '::1',
  'the metadata of a cloud': '169.254.169.254',
  'the metadata, version 6': 'fd00:ec2::254',
  'a private network': '10.0.0.7',
  'the network of a carrier': '100.64.0.1',
  'version 4 in version 6': '::ffff:127.0.0.1',
  'version 4 through NAT64': '64:ff9b::a9fe:a9fe',
  'version 4 through 6to4': '2002:7f00:1::1',
  'the unspecified address': '0.0.0.0',
};

test('an allowed name that leads inward is not followed', async (t) => {
  const { own } = await openServers(t);
  for (const [what, address] of Object.entries(INWARD)) {
    const outside = mappedOutside({ 'allowed.example': [[address]] }, { [address]: own });
    const held = await openAttacker(t, { rules, outside });
    const words = ['browse', 'allowed.example:443', 'allowed.example'] as const;
    assert.match(await held.attack(...words), /403 allowed\.example leads to an address that is not public/, what);
    const control = await openAttacker(t, { rules, outside, guards: anyAddress });
    assert.equal(await control.attack(...words), 'the secret of this machine', what);
  }
});

test('a name whose answer changes is dialled at the address that was looked at', async (t) => {
  const { open, own } = await openServers(t);
  const names = { 'allowed.example': [[PUBLIC], ['127.0.0.1']] };
  const ports = { [PUBLIC]: open, '127.0.0.1': own };
  const words = ['browse', 'allowed.example:443', 'allowed.example'] as const;
  const held = await openAttacker(t, { rules, outside: mappedOutside(names, ports) });
  assert.match(await held.attack(...words), /^open, /);
  assert.match(await held.attack(...words), /403 .* not public/);
  // A dialler that is given the name looks it up once more, and is given the second answer.
  const rebinding: Outside = {
    resolve: () => Promise.resolve([PUBLIC]),
    dial: () => connect({ host: '127.0.0.1', port: own, allowHalfOpen: true }),
  };
  const control = await openAttacker(t, { rules, outside: rebinding });
  assert.equal(await control.attack(...words), 'the secret of this machine');
});

const LITERALS = ['127.1', '0x7f000001', '2130706433', '0177.0.0.1', '127.0.0.1', '[::1]', '[::ffff:127.0.0.1]'];

test('no form of an address is taken for a name', async (t) => {
  const { own } = await openServers(t);
  const outside: Outside = {
    resolve: async (host) => (await lookup(host, { all: true })).map((it) => it.address),
    dial: () => connect({ host: '127.0.0.1', port: own, allowHalfOpen: true }),
  };
  for (const literal of LITERALS) {
    const words = ['browse', `${literal}:443`, 'allowed.example'] as const;
    const held = await openAttacker(t, { rules: ['web'], outside, guards: anyAddress });
    assert.match(await held.attack(...words), /403 No address is reached from here/, literal);
    const control = await openAttacker(t, {
      rules: ['web'],
      outside,
      guards: { ...anyAddress, ...anyHello, request: lenient },
    });
    assert.equal(await control.attack(...words), 'the secret of this machine', literal);
  }
});

test('a target that is read in two ways is refused', async (t) => {
  const { open, own } = await openServers(t);
  const outside = mappedOutside(
    { 'allowed.example': [[PUBLIC]], 'other.example': [['1.1.1.1']] },
    { [PUBLIC]: open, '1.1.1.1': own },
  );
  // Looks at the beginning, and asks the URL parser where to go.
  const naive: Partial<Guards> = {
    request: (url) => ({ ok: true, host: new URL(`https://${url}`).hostname }),
    ruleFor: () => 'allowed.example',
  };
  for (const target of ['allowed.example:443@other.example:443', 'allowed.example@other.example:443']) {
    const words = ['browse', target, 'other.example'] as const;
    const held = await openAttacker(t, { rules, outside });
    assert.match(await held.attack(...words), /^HTTP\/1\.1 400 |^HTTP\/1\.1 403 |^closed/, target);
    assert.equal(held.noted[0]?.verdict, 'deny');
    const control = await openAttacker(t, { rules, outside, guards: naive });
    assert.equal(await control.attack(...words), 'the secret of this machine', target);
  }
});

test('no port but that of https', async (t) => {
  const { open } = await openServers(t);
  const outside = mappedOutside({ 'allowed.example': [[PUBLIC]] }, { [PUBLIC]: open });
  const held = await openAttacker(t, { rules, outside });
  const control = await openAttacker(t, { rules, outside, guards: { request: lenient } });
  for (const port of [22, 25, 80, 8443]) {
    const words = ['browse', `allowed.example:${port}`, 'allowed.example'] as const;
    assert.match(await held.attack(...words), /^HTTP\/1\.1 403 Only port 443/);
    assert.match(await control.attack(...words), /^open, /);
  }
});

test('the name inside must be the name outside', async (t) => {
  const { open } = await openServers(t);
  const outside = mappedOutside({ 'allowed.example': [[PUBLIC]] }, { [PUBLIC]: open });
  const words = ['browse', 'allowed.example:443', 'other.example'] as const;
  const held = await openAttacker(t, { rules, outside });
  assert.equal(await held.attack(...words), 'cut off');
  assert.equal(held.noted[0]?.reason, 'other-name');
  const control = await openAttacker(t, { rules, outside, guards: anyHello });
  assert.match(await control.attack(...words), /^open, as other\.example/);
});
