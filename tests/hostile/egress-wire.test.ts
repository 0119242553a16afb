// needs: userns
/**
 * The way out, attacked from inside a real sandbox: what is said on it, how slowly and how often. Each attack stands beside
 * its control: the same words, with the one guard taken away that held it.
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { GUARDS } from '../../host/egress/guards.ts';
import { HeldClock } from '../fakes/held-clock.ts';
import { openModelEndpoint } from '../fakes/model-endpoint.ts';
import { mappedOutside } from '../fakes/way-out.ts';
import { anyHello, lenient, openAttacker, openEcho, openServers, PUBLIC, rules } from './egress-stage.ts';

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
  const unpaced = { ...GUARDS.limits, connectsPerSecond: 1e9 };
  const held = await openAttacker(t, { rules, outside, guards: { limits: unpaced } });
  assert.equal(await held.attack('hoard', 'allowed.example:443', '10000', String(tunnels)), String(tunnels));
  const limits = { ...unpaced, tunnels: 1e9, netConnections: 1e9 };
  const control = await openAttacker(t, { rules, outside, guards: { limits } });
  assert.equal(await control.attack('hoard', 'allowed.example:443', '10000', String(tunnels)), `more than ${tunnels}`);
});

test('a session that asks without end waits for itself', async (t) => {
  const clock = new HeldClock();
  const { connectsPerSecond } = GUARDS.limits;
  const flood = CONNECT.replaceAll('allowed', 'nowhere');
  const held = await openAttacker(t, { clock });
  const asked = held.attack('flood', flood, String(connectsPerSecond + 20));
  await held.noticed(connectsPerSecond);
  await clock.pass(0);
  assert.equal(held.noted.length, connectsPerSecond);
  while (held.noted.length < connectsPerSecond + 20) await clock.pass(1_000 / connectsPerSecond);
  assert.equal(await asked, `${connectsPerSecond + 20}`);
  const control = await openAttacker(t, { guards: { limits: { ...GUARDS.limits, connectsPerSecond: 1e9 } } });
  assert.equal(await control.attack('flood', flood, '1000'), '1000');
});

test('what a session moves in a day has an end', async (t) => {
  const { open } = await openServers(t);
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
  const { open } = await openServers(t);
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
