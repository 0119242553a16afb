/** A model endpoint: where it lies, what it speaks, which secret it is given and how. */
import { BlockList, isIP } from 'node:net';
import type { OutgoingHttpHeaders } from 'node:http';
import type { ModelApi } from '@halfdoor/protocol/message';
import type { Found } from '../secrets/secrets.ts';

/** `key` names the secret; null: it is given none. `ownAddress`: not the public one. */
export type ModelEndpoint = { api: ModelApi; baseUrl: string; ownAddress: boolean; key: string | null };

/** The secret of a name as it stands at this request. */
export type ModelKeys = (name: string) => Found;

const DEFAULT_BASE: Record<ModelApi, string> = {
  anthropic: 'https://api.anthropic.com/v1',
  openai: 'https://api.openai.com/v1',
};
/** The protocol's one path, as a client of it asks. */
export const MODEL_PATHS: Record<ModelApi, string> = { anthropic: '/v1/messages', openai: '/v1/chat/completions' };
const OWN_KEY: Record<ModelApi, string> = { anthropic: 'ANTHROPIC_API_KEY', openai: 'OPENAI_API_KEY' };

/** Where requests go; `baseUrl` as its owner wrote it, with or without /v1. */
export function endpointOf(api: ModelApi, baseUrl: string | null, key: string | null): ModelEndpoint {
  const base = (baseUrl ?? DEFAULT_BASE[api]).replace(/\/+$/, '');
  return { api, baseUrl: base.endsWith('/v1') ? base : `${base}/v1`, ownAddress: baseUrl !== null, key };
}

/** Where its conversations are asked for. */
export const modelUrl = ({ api, baseUrl }: ModelEndpoint): URL =>
  new URL(baseUrl + MODEL_PATHS[api].slice('/v1'.length));

/** The secret an endpoint is given when nobody said: the public one its own. Anybody else's would only collect it. */
export const ownKeyOf = (api: ModelApi, baseUrl: string | null): string | null =>
  baseUrl === null ? OWN_KEY[api] : null;

/** Either protocol's way to show a key. */
export function keyHeaders(api: ModelApi, key: string | null): OutgoingHttpHeaders {
  if (key === null) return {};
  return api === 'anthropic' ? { 'x-api-key': key } : { authorization: `Bearer ${key}` };
}

type KeyFound = { ok: true; value: string | null } | { ok: false; fault: string; next: string };

/** The endpoint's key as it stands now. A local model wants none; the public endpoints do. */
export function keyFor(keys: ModelKeys, { key, ownAddress }: ModelEndpoint): KeyFound {
  if (key === null) {
    if (ownAddress) return { ok: true, value: null };
    return { ok: false, fault: 'the public endpoint wants a key and is given none', next: GIVE_KEY };
  }
  const found = keys(key);
  if (!found.ok || /^[\x21-\x7e]+$/.test(found.value)) return found;
  const fault = `the secret ${key} holds characters that no key has`;
  return { ok: false, fault, next: `Set it again: halfdoor secrets set ${key}` };
}

const GIVE_KEY = 'Name one: halfdoor secrets set NAME, then halfdoor agents update AGENT --key NAME.';

/** What to say where an endpoint refused what it was given. */
export const refusedKey = ({ key }: ModelEndpoint): string =>
  key === null
    ? 'the model endpoint wants a key and is given none'
    : `the model endpoint refused the key in the secret ${key}`;

/** RFC 1122, RFC 1918, RFC 4193, RFC 4291. Not 169.254/16: what answers there is no model. */
const PRIVATE: readonly [network: string, prefix: number, type: 'ipv4' | 'ipv6'][] = [
  ['127.0.0.0', 8, 'ipv4'],
  ['10.0.0.0', 8, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['::1', 128, 'ipv6'],
  ['fc00::', 7, 'ipv6'],
];
/** Names that never lead to a public address: RFC 6761, RFC 6762, RFC 8375, and .internal as ICANN reserved it. */
const PRIVATE_NAME = /(^|\.)localhost$|\.local$|\.home\.arpa$|\.internal$/;

/** Whether a key may be sent there: over https anywhere, in the clear only on this machine and the network it stands in. */
export function mayCarryKey(baseUrl: string): boolean {
  const { protocol, hostname } = new URL(baseUrl);
  if (protocol === 'https:') return true;
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const version = isIP(host);
  if (version === 0) return PRIVATE_NAME.test(host);
  const list = new BlockList();
  for (const [network, prefix, type] of PRIVATE) list.addSubnet(network, prefix, type);
  return list.check(host, version === 4 ? 'ipv4' : 'ipv6');
}
