/** Everything that stands between a session's request and the network, as one argument: a test takes one away and sees what it held. */
import { LIMITS } from '@halfdoor/protocol/limits';
import { isGlobalUnicast } from './address.ts';
import { readHello, type Hello } from './client-hello.ts';
import { readRequest, type Requested } from './connect-request.ts';
import { ruleFor } from './rules.ts';

export type Guards = {
  request(url: string, rawHeaders: readonly string[]): Requested;
  ruleFor(rules: readonly string[], host: string): string | null;
  isGlobal(address: string): boolean;
  hello(bytes: Buffer, host: string): Hello;
  /** A connection carries one CONNECT and nothing before it. */
  alone: boolean;
  limits: Limits;
};

export type Limits = Record<
  | 'netConnections'
  | 'tunnels'
  | 'connectsPerSecond'
  | 'requestHeadMs'
  | 'dialMs'
  | 'helloMs'
  | 'tunnelIdleMs'
  | 'tunnelBytesPerDay',
  number
>;

export const GUARDS: Guards = {
  request: readRequest,
  ruleFor,
  isGlobal: isGlobalUnicast,
  hello: readHello,
  alone: true,
  limits: LIMITS,
};
