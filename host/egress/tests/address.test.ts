import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isGlobalUnicast } from '../address.ts';

const GLOBAL = [
  ...['1.1.1.1', '8.8.8.8', '93.184.216.34', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0'],
  ...['126.255.255.255', '128.0.0.0', '169.253.255.255', '169.255.0.0', '172.15.255.255', '172.32.0.0'],
  ...['192.0.1.0', '192.0.3.0', '192.167.255.255', '192.169.0.0', '198.17.255.255', '198.20.0.0', '203.0.112.255'],
  ...['203.0.114.0', '223.255.255.255', '2606:4700:4700::1111', '2001:4860:4860::8888', '2a00:1450:4001::200e'],
  ...['2001:200::1', '2003::1', '3ffe::1', '3fff:1000::1', '2000::'],
];

/** https://www.iana.org/assignments/iana-ipv4-special-registry and …/iana-ipv6-special-registry, each with its edges. */
const SPECIAL: Readonly<Record<string, readonly string[]>> = {
  'this network': ['0.0.0.0', '0.1.2.3', '0.255.255.255'],
  loopback: ['127.0.0.1', '127.255.255.255', '127.1.2.3', '::1'],
  private: ['10.0.0.0', '10.255.255.255', '172.16.0.0', '172.31.255.255', '192.168.0.0', '192.168.255.255'],
  'shared by carriers': ['100.64.0.0', '100.127.255.255'],
  'link-local, metadata': ['169.254.169.254', '169.254.0.0', '169.254.255.255', 'fe80::1', 'febf::1', 'fec0::1'],
  'protocol assignments': [
    '192.0.0.0',
    '192.0.0.8',
    '192.0.0.170',
    '192.0.0.255',
    '2001::',
    '2001:1::1',
    '2001:1ff::1',
  ],
  documentation: [
    '192.0.2.1',
    '198.51.100.1',
    '203.0.113.255',
    '2001:db8::1',
    '2001:db8:ffff::',
    '3fff::1',
    '3fff:fff::',
  ],
  benchmarking: ['198.18.0.0', '198.19.255.255', '2001:2::1'],
  'AS112, AMT and 6to4 relays': ['192.31.196.1', '192.52.193.1', '192.88.99.1', '192.175.48.1', '2620:4f:8000::1'],
  multicast: ['224.0.0.1', '239.255.255.255', 'ff02::1', 'ff0e::1'],
  'reserved and broadcast': ['240.0.0.1', '255.255.255.254', '255.255.255.255'],
  unspecified: ['::', '::0'],
  'v4 in v6': ['::ffff:127.0.0.1', '::ffff:1.1.1.1', '::ffff:7f00:1', '::127.0.0.1', '::1.1.1.1', '::ffff:0:127.0.0.1'],
  NAT64: ['64:ff9b::7f00:1', '64:ff9b::127.0.0.1', '64:ff9b::a9fe:a9fe', '64:ff9b::101:101', '64:ff9b:1::a00:1'],
  '6to4 and Teredo': ['2002:7f00:1::', '2002:a00:1::1', '2002:a9fe:a9fe::', '2002:101:101::1', '2001:0:4136:e378::1'],
  'unique local': ['fc00::1', 'fd00::1', 'fd00:ec2::254', 'fdff:ffff::'],
  'discard, dummy, segment routing': ['100::1', '100:0:0:1::1', '5f00::1'],
  'not in use': ['4000::1', '1::1', '8000::1', 'e000::1', '1fff:ffff::'],
  'with a zone': ['fe80::1%eth0', '2606:4700::1%lo'],
  'no address': ['127.1', '0x7f000001', '2130706433', '0177.0.0.1', '1.1.1.1 ', '1.1.1', '', 'example.com', '1.1.1.01'],
};

test('global unicast is taken', () => {
  for (const it of GLOBAL) assert.equal(isGlobalUnicast(it), true, it);
});

for (const [what, addresses] of Object.entries(SPECIAL)) {
  test(`nothing else is: ${what}`, () => {
    for (const it of addresses) assert.equal(isGlobalUnicast(it), false, it);
  });
}
