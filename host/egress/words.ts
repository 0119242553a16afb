/** What is said of a request that is not passed on: to the program inside, to its model, and to the owner who looks. */
import type { HelloFault } from './client-hello.ts';
import type { Requested } from './connect-request.ts';
import type { Reached } from './reach.ts';

export type Refused =
  | Extract<Requested, { ok: false }>['why']
  | Extract<Reached, { ok: false }>['why']
  | 'not-allowed'
  | 'plain-http'
  | 'too-many'
  | 'spent';

/** After its beginning a tunnel ends without words. */
export type Ending =
  | Refused
  | HelloFault
  | 'late'
  | 'idle'
  | 'revoked'
  | 'session-ended'
  | 'client-left'
  | 'broke-off'
  | 'done';

const STATUS: Record<Refused, number> = {
  address: 403,
  port: 403,
  name: 400,
  ambiguous: 400,
  'no-address': 502,
  'not-public': 403,
  unreachable: 502,
  'not-allowed': 403,
  'plain-http': 403,
  'too-many': 429,
  spent: 429,
};

/** Error types of RFC 9209 §2.3. */
const PROXY_ERROR: Partial<Record<Refused, string>> = {
  name: 'http_request_error',
  ambiguous: 'http_request_error',
  'no-address': 'dns_error',
  'not-public': 'destination_ip_prohibited',
  unreachable: 'destination_unavailable',
  'too-many': 'connection_limit_reached',
};

/** One sentence of printable ASCII; `host` in its normal form, empty where there was none. */
export function sentence(why: Refused, agent: string, host: string): string {
  switch (why) {
    case 'not-allowed':
      return `${agent} may not reach ${host}. Its owner allows it with: ./halfdoor agents allow ${agent} ${host}`;
    case 'address':
      return 'No address is reached from here, only a host by its name, like registry.npmjs.org';
    case 'port':
      return 'Only port 443 is reached from here, by https';
    case 'plain-http':
      return `Only https is passed on. Ask for https://${host || 'HOST'}/ instead of http`;
    case 'name':
      return 'That is no name of a host. Ask for one like registry.npmjs.org:443';
    case 'ambiguous':
      return 'This request can be read in two ways. Send one CONNECT, its Host the same, on a connection of its own';
    case 'no-address':
      return `No address is known for ${host}`;
    case 'not-public':
      return `${host} leads to an address that is not public, and only public ones are reached from here`;
    case 'unreachable':
      return `${host} did not take the connection`;
    case 'too-many':
      return `Too many connections are open already. Close some, then ask for ${host} again`;
    case 'spent':
      return `What this session may send and receive in a day is used up. ${host} can be reached again tomorrow`;
  }
}

/** The sentence stands in the first line of an answer too: some programs print that one only. */
export function refusal(why: Refused, agent: string, host: string) {
  const said = sentence(why, agent, host);
  const headers = {
    'Proxy-Status': `halfdoor; error=${PROXY_ERROR[why] ?? 'http_request_denied'}`,
    'Content-Type': 'text/plain',
    'Content-Length': String(Buffer.byteLength(said) + 1),
    Connection: 'close',
  };
  return { status: STATUS[why], said, headers };
}

/** The whole of it, for a connection that is no HTTP server's any more. */
export function answer(why: Refused, agent: string, host: string): string {
  const { status, said, headers } = refusal(why, agent, host);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${status} ${said}`, ...lines, '', `${said}\n`].join('\r\n');
}
