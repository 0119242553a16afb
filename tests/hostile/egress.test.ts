// needs: userns
/**
 * The way out, attacked from inside a real sandbox. Each attack stands beside its control: the same words, with the one
 * guard taken away that held it.
 */
import assert from 'node:assert/strict';
import { lookup } from 'node:dns/promises';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { before, test, type TestContext } from 'node:test';
import { GUARDS, type Guards } from '../../host/egress/guards.ts';
import type { Outside } from '../../host/egress/outside.ts';
import { HeldClock } from '../fakes/held-clock.ts';
import { openModelEndpoint } from '../fakes/model-endpoint.ts';
import { makeAuthority, openTls, type Authority } from '../fakes/tls.ts';
import { mappedOutside } from '../fakes/way-out.ts';
import { openAttacker, openEcho } from './egress-stage.ts';

const PUBLIC = '93.184.216.34';
let authority: Authority;
before(() => (authority = makeAuthority(['allowed.example', 'other.example'])));

/** Two servers: the one that may be reached, and one that belongs to this machine. */
async function servers(t: TestContext): Promise<{ open: number; own: number }> {
  const open = await openTls(t, authority, (asked, answer) => {
    const name = (asked.socket as { servername?: string }).servername ?? 'nobody';
    answer.end(`open, as ${name}, told ${String(asked.headers['x-api-key'])}`);
  });
  const own = await openTls(t, authority, (_asked, answer) => answer.end('the secret of this machine'));
  return { open: open.port, own: own.port };
}

const rules = ['allowed.example'];
const anyAddress: Partial<Guards> = { isGlobal: () => true };

const anyHello: Partial<Guards> = { hello: () => ({ state: 'passed' }) };

/** What a naive proxy makes of a target. */
const lenient = (url: string): ReturnType<Guards['request']> => ({
  ok: true,
  host: url.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1'),
});

test('an allowed host is reached, by its name', async (t) => {
  const { open } = await servers(t);
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
  const { own } = await servers(t);
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
  const { open, own } = await servers(t);
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
  const { own } = await servers(t);
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
  const { open, own } = await servers(t);
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
  const { open } = await servers(t);
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
  const { open } = await servers(t);
  const outside = mappedOutside({ 'allowed.example': [[PUBLIC]] }, { [PUBLIC]: open });
  const words = ['browse', 'allowed.example:443', 'other.example'] as const;
  const held = await openAttacker(t, { rules, outside });
  assert.equal(await held.attack(...words), 'cut off');
  assert.equal(held.noted[0]?.reason, 'other-name');
  const control = await openAttacker(t, { rules, outside, guards: anyHello });
  assert.match(await control.attack(...words), /^open, as other\.example/);
});

/** A first message of TLS with these extensions, in one record. */
function helloWith(extensions: readonly number[]): string {
  const body = [
    3,
    3,
    ...Array.from({ length: 32 }, () => 7),
    0,
    0,
    2,
    0x13,
    1,
    1,
    0,
    0,
    extensions.length,
    ...extensions,
  ];
  return Buffer.from([22, 3, 1, 0, body.length + 4, 1, 0, 0, body.length, ...body]).toString('hex');
}

function nameExtension(name: string): number[] {
  const bytes = [...Buffer.from(name)];
  return [0, 0, 0, bytes.length + 5, 0, bytes.length + 3, 0, 0, bytes.length, ...bytes];
}

const OTHER = helloWith(nameExtension('other.example'));
const HELLOS: Readonly<Record<string, [hex: string, piece: string]>> = {
  'what is not TLS': [Buffer.from('SSH-2.0-x\r\n').toString('hex'), ''],
  'http in the clear': [Buffer.from('GET / HTTP/1.1\r\nHost: allowed.example\r\n\r\n').toString('hex'), ''],
  'a hello without a name': [helloWith([0, 43, 0, 3, 2, 3, 4]), ''],
  'another name, byte by byte': [OTHER, '1'],
  'a name within an encrypted hello': [helloWith([...nameExtension('allowed.example'), 0xfe, 0x0d, 0, 1, 0]), ''],
  'two names': [helloWith([...nameExtension('allowed.example'), ...nameExtension('other.example')]), ''],
};

test('no byte is passed on before the first message is whole and names the host', async (t) => {
  const outside = mappedOutside({ 'allowed.example': [[PUBLIC]] }, { [PUBLIC]: await openEcho(t) });
  const held = await openAttacker(t, { rules, outside });
  const control = await openAttacker(t, { rules, outside, guards: anyHello });
  for (const [what, [hex, piece]] of Object.entries(HELLOS)) {
    assert.equal(await held.attack('raw', 'allowed.example:443', hex, piece), 'cut off', what);
    assert.equal(await control.attack('raw', 'allowed.example:443', hex, piece), 'echoed', what);
  }
  const good = helloWith(nameExtension('allowed.example'));
  assert.equal(await held.attack('raw', 'allowed.example:443', good, '1'), 'echoed');
  assert.ok(held.noted.slice(0, -1).every((it) => it.verdict === 'deny' && it.up === 0 && it.down === 0));
});

const CONNECT = 'CONNECT allowed.example:443 HTTP/1.1\r\nHost: allowed.example\r\n\r\n';

test('one write holds one request: nothing is smuggled behind it', async (t) => {
  const endpoint = await openModelEndpoint('openai', [{ text: 'one' }, { text: 'two' }, { text: 'three' }]);
  t.after(() => endpoint.close());
  const agent = { api: 'openai', baseUrl: endpoint.baseUrl } as const;
  const outside = mappedOutside({ 'allowed.example': [[PUBLIC]] }, { [PUBLIC]: await openEcho(t) });
  const held = await openAttacker(t, { rules, outside, agent });
  const control = await openAttacker(t, { rules, outside, agent, guards: { alone: false } });
  const before = 'GET / HTTP/1.1\r\nHost: model\r\n\r\n';
  assert.ok(!(await held.attack('say-all', before + CONNECT)).includes('200'));
  assert.match(
    await control.attack('say-all', `${before}${CONNECT}GET / HTTP/1.1\r\n\r\n`),
    /200 Connection established/,
  );

  const ask = (...headers: string[]): string =>
    ['POST /v1/chat/completions HTTP/1.1', 'Host: model', 'Content-Type: application/json', ...headers].join('\r\n');
  const body = '{"model":"m","messages":[]}';
  const plain = `${ask(`Content-Length: ${body.length}`)}\r\n\r\n${body}`;
  assert.match(await held.attack('say', plain), /200 OK/);
  const chunk = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  const both = ask(`Content-Length: ${body.length}`, 'Transfer-Encoding: chunked');
  for (const smuggled of [
    `${both}\r\n\r\n${chunk}${plain}`,
    `${ask(`Content-Length: ${body.length}`, 'Content-Length: 5')}\r\n\r\n${body}`,
    `${ask('Transfer-Encoding: chunked, identity')}\r\n\r\n${chunk}`,
    `${ask(`Content-Length : ${body.length}`)}\r\n\r\n${body}`,
  ]) {
    assert.ok(!(await held.attack('say', smuggled)).includes(' 200 '), smuggled);
  }
  assert.equal(endpoint.asked.length, 1);
});

test('a CONNECT that says two things is refused', async (t) => {
  const outside = mappedOutside({ 'allowed.example': [[PUBLIC]] }, { [PUBLIC]: await openEcho(t) });
  const held = await openAttacker(t, { rules, outside });
  const control = await openAttacker(t, { rules, outside, guards: { request: lenient } });
  for (const headers of [
    'Host: other.example:443',
    'Host: allowed.example:443\r\nHost: other.example:443',
    'Host: user@allowed.example',
    'Host: allowed.example\r\nContent-Length: 5',
    'Host: allowed.example\r\nTransfer-Encoding: chunked',
  ]) {
    const words = ['say', `CONNECT allowed.example:443 HTTP/1.1\r\n${headers}\r\n\r\n`] as const;
    assert.match(await held.attack(...words), /^HTTP\/1\.1 400 This request can be read in two ways/, headers);
    assert.match(await control.attack(...words), /^HTTP\/1\.1 200 /, headers);
  }
});

test('plain http is passed on to nobody', async (t) => {
  const { noted, attack } = await openAttacker(t, { rules: ['web'], agent: { api: 'openai' } });
  const get = (url: string): string => `GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`;
  assert.match(await attack('say', get('http://allowed.example/')), /403 Only https .* https:\/\/allowed\.example\//);
  for (const url of ['http://169.254.169.254/latest', 'http://127.0.0.1:1/', 'ftp://a.example/', '*']) {
    assert.match(await attack('say', get(url)), /^HTTP\/1\.1 40\d /, url);
  }
  assert.ok(noted.every((it) => it.verdict === 'deny' && it.reason === 'plain-http'));
  // A proxy that passes it on is what the same words would find open.
  const naive = createServer((_asked, answer) => answer.writeHead(200, 'passed on').end());
  const through = await openAttacker(t, { server: naive });
  assert.match(await through.attack('say', get('http://169.254.169.254/latest')), /200 passed on/);
});

/** Its time never comes. */
const patient = { limits: { ...GUARDS.limits, requestHeadMs: 1e9, helloMs: 1e9 } };

test('who is slow to say what it wants gives its place to others', async (t) => {
  const outside = mappedOutside({ 'allowed.example': [[PUBLIC]] }, { [PUBLIC]: await openEcho(t) });
  for (const [first, second, answer] of [
    ['CONNECT nowhere.example:443 HTTP/1.1\r\nHo', 'st: nowhere.example\r\n\r\n', /^HTTP\/1\.1 403/],
    [CONNECT, '', /^still open/],
  ] as const) {
    const clock = new HeldClock();
    const held = await openAttacker(t, { rules, outside, clock });
    const slow = await held.dawdle(first, second);
    await clock.pass(GUARDS.limits.requestHeadMs + GUARDS.limits.helloMs);
    assert.equal(await slow.go(), 'closed');
    const later = new HeldClock();
    const control = await openAttacker(t, { rules, outside, clock: later, guards: patient });
    const kept = await control.dawdle(first, second);
    await later.pass(GUARDS.limits.requestHeadMs + GUARDS.limits.helloMs);
    assert.match(await kept.go(), answer);
  }
});

test('ten thousand tunnels are asked for, as many as a session may have are given', { timeout: 120_000 }, async (t) => {
  const outside = mappedOutside({ 'allowed.example': [[PUBLIC]] }, { [PUBLIC]: await openEcho(t) });
  const { tunnels } = GUARDS.limits;
  const held = await openAttacker(t, { rules, outside });
  assert.equal(await held.attack('hoard', 'allowed.example:443', '10000', String(tunnels)), String(tunnels));
  const limits = { ...GUARDS.limits, tunnels: 1e9, netConnections: 1e9 };
  const control = await openAttacker(t, { rules, outside, guards: { limits } });
  assert.equal(await control.attack('hoard', 'allowed.example:443', '10000', String(tunnels)), `more than ${tunnels}`);
});

test('what a session moves in a day has an end', async (t) => {
  const { open } = await servers(t);
  const outside = mappedOutside({ 'allowed.example': [[PUBLIC]] }, { [PUBLIC]: open });
  const words = ['browse', 'allowed.example:443', 'allowed.example'] as const;
  const guards = { limits: { ...GUARDS.limits, tunnelBytesPerDay: 600 } };
  const held = await openAttacker(t, { rules, outside, guards });
  assert.equal(await held.attack(...words), 'cut off');
  assert.match(
    await held.attack(...words),
    /^HTTP\/1\.1 429 What this session may send and receive in a day is used up/,
  );
  const control = await openAttacker(t, { rules, outside });
  for (let n = 0; n < 2; n++) assert.match(await control.attack(...words), /^open, /);
});

test('an allowed host that says back what it was told tells no key', async (t) => {
  const { open } = await servers(t);
  const endpoint = await openModelEndpoint('anthropic', [{ text: 'thought' }]);
  t.after(() => endpoint.close());
  const agent = { api: 'anthropic', baseUrl: endpoint.baseUrl, key: 'MY_KEY' } as const;
  const outside = mappedOutside({ 'allowed.example': [[PUBLIC]] }, { [PUBLIC]: open });
  const { attack } = await openAttacker(t, { rules, outside, agent, key: 'sk-canary' });
  const echoed = await attack('browse', 'allowed.example:443', 'allowed.example');
  assert.equal(echoed, 'open, as allowed.example, told placeholder');
  const body = '{"model":"m","messages":[]}';
  const head = 'POST /v1/messages HTTP/1.1\r\nHost: model\r\nX-Api-Key: placeholder\r\nContent-Length: ';
  assert.match(await attack('say', `${head}${body.length}\r\n\r\n${body}`), /200 OK/);
  assert.equal(endpoint.asked[0]?.headers['x-api-key'], 'sk-canary');
});
