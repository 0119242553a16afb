/**
 * Whether an address leads to the public internet. Anything that stands for this machine, for the network around it or
 * for another address hidden in it does not, whatever a registry says of its reachability.
 */
import { isIPv4, isIPv6 } from 'node:net';

type Block = readonly [network: string, prefix: number];

/** All of https://www.iana.org/assignments/iana-ipv4-special-registry, multicast (RFC 5771) and 240/4 (RFC 1112). */
const SPECIAL_4: readonly Block[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];

/** The only block that global unicast is given out of (https://www.iana.org/assignments/ipv6-address-space). */
const GLOBAL_6: Block = ['2000::', 3];

/** What of https://www.iana.org/assignments/iana-ipv6-special-registry lies in it: Teredo, benchmarking, documentation, 6to4, AS112. */
const SPECIAL_6: readonly Block[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['2620:4f:8000::', 48],
  ['3fff::', 20],
];

/** `address` as a resolver gives it; false for what is none. */
export function isGlobalUnicast(address: string): boolean {
  if (isIPv4(address)) return !SPECIAL_4.some((block) => isIn(number4(address), 32, number4(block[0]), block[1]));
  if (!isIPv6(address) || address.includes('%')) return false;
  const within = ([network, prefix]: Block): boolean => isIn(number6(address), 128, number6(network), prefix);
  return within(GLOBAL_6) && !SPECIAL_6.some(within);
}

const isIn = (address: bigint, bits: number, network: bigint, prefix: number): boolean =>
  address >> BigInt(bits - prefix) === network >> BigInt(bits - prefix);

const number4 = (address: string): bigint => address.split('.').reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);

/** Of what isIPv6 has seen: at most one `::`, and a dotted end. */
function number6(address: string): bigint {
  const dotted = /[0-9.]+$/.exec(address)?.[0] ?? '';
  const low = dotted.includes('.') ? number4(dotted) : null;
  const plain =
    low === null
      ? address
      : `${address.slice(0, -dotted.length)}${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`;
  const [before = '', after] = plain.split('::');
  const head = before.split(':').filter(Boolean);
  const tail = (after ?? '').split(':').filter(Boolean);
  const zeros = after === undefined ? [] : Array.from({ length: 8 - head.length - tail.length }, () => '0');
  return [...head, ...zeros, ...tail].reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
}
