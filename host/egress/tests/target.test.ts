import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalHost, parseTarget } from '../target.ts';

const LONG = 'a'.repeat(63);

const NAMES: readonly [target: string, host: string][] = [
  ['example.com:443', 'example.com'],
  ['EXAMPLE.Com:443', 'example.com'],
  ['example.com.:443', 'example.com'],
  ['a-b.c1.example.co:443', 'a-b.c1.example.co'],
  ['xn--bcher-kva.example:443', 'xn--bcher-kva.example'],
  ['1.example.com:443', '1.example.com'],
  ['0x7f.example.com:443', '0x7f.example.com'],
  [`${LONG}.example.com:443`, `${LONG}.example.com`],
  [`${[LONG, LONG, LONG].join('.')}.${'b'.repeat(61)}:443`, `${[LONG, LONG, LONG].join('.')}.${'b'.repeat(61)}`],
];

test('a host name with port 443, in its normal form', () => {
  for (const [target, host] of NAMES) assert.deepEqual(parseTarget(target), { ok: true, host }, target);
});

const REFUSED: Readonly<Record<string, readonly string[]>> = {
  address: [
    ...['127.0.0.1:443', '127.1:443', '2130706433:443', '0x7f000001:443', '0x7f.1:443', '017700000001:443'],
    ...['127.0.0.1.:443', '1.1.1.1:443', '0177.0.0.1:443', '127.0.0.0x1:443', 'example.0x:443', 'example.1:443'],
    ...['[::1]:443', '[::ffff:127.0.0.1]:443', '[64:ff9b::7f00:1]:443', '[2606:4700::1]:443', '[fe80::1%25lo]:443'],
    ...['::1:443', 'fe80::1%lo:443'],
  ],
  port: [
    ...['example.com:80', 'example.com:22', 'example.com:0', 'example.com:4430', 'example.com:65979', 'example.com:'],
    ...['example.com', 'example.com:0443', 'example.com:+443', 'example.com:443 ', 'example.com:https'],
    ...['example.com:443:443', 'example.com:443/', 'example.com:443?', 'example.com:443#', 'example.com:٤٤٣'],
  ],
  name: [
    ...['localhost:443', 'com:443', '.:443', ':443', '..:443', 'example..com:443', '.example.com:443'],
    ...['example.com..:443', '-a.example.com:443', 'a-.example.com:443', 'a_b.example.com:443', '*.example.com:443'],
    ...['user@example.com:443', 'user:secret@example.com:443', 'https://example.com:443', 'example.com\\:443'],
    ...['exa mple.com:443', 'example.com\t:443', 'example.com\u0000:443', 'example.com%00:443', 'exämple.com:443'],
    ...['example.com\u3002:443', 'EXAMPLE.\u212aom:443', 'example\uff0ecom:443', '/etc/passwd:443', ''],
    ...[`${LONG}a.example.com:443`, `${'a.'.repeat(125)}example.com:443`, `${'a'.repeat(100_000)}:443`],
  ],
};

for (const [why, targets] of Object.entries(REFUSED)) {
  test(`everything else is refused: ${why}`, () => {
    for (const target of targets) {
      const parsed = parseTarget(target);
      assert.equal(parsed.ok, false, target);
      assert.equal(parsed.ok || parsed.why, why, target.slice(0, 80));
    }
  });
}

test('a name alone, as a rule or a certificate holds it', () => {
  assert.equal(normalHost('Example.COM.'), 'example.com');
  for (const it of ['example', '127.1', 'a b.com', 'example.com:443', '']) assert.equal(normalHost(it), null, it);
});
