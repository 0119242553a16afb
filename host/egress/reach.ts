/** From a host name to a connection: looked up once, and dialled at exactly what was looked at. */
import type { Socket } from 'node:net';
import { LIMITS } from '@halfdoor/protocol/limits';
import type { Clock } from '../clock.ts';
import type { Outside } from './outside.ts';

export type ReachDeps = { outside: Outside; clock: Clock; isGlobal(address: string): boolean };
export type Reached = { ok: true; socket: Socket } | { ok: false; why: 'no-address' | 'not-public' | 'unreachable' };

const PORT = 443;
const ADDRESSES = 4;
/** The first ones may lead nowhere, as those of version 6 do on many machines. */
const EACH_MS = LIMITS.dialMs / ADDRESSES;

/** Never rejects. Aborted, it leaves no connection behind. */
export async function reach(deps: ReachDeps, host: string, signal: AbortSignal): Promise<Reached> {
  const addresses = await deps.outside.resolve(host).catch(() => []);
  if (addresses.length === 0) return { ok: false, why: 'no-address' };
  const open = addresses.filter((address) => deps.isGlobal(address));
  if (open.length === 0) return { ok: false, why: 'not-public' };
  for (const address of open.slice(0, ADDRESSES)) {
    if (signal.aborted) break;
    const socket = await dial(deps, address, signal);
    if (socket !== null) return { ok: true, socket };
  }
  return { ok: false, why: 'unreachable' };
}

/** Null when it is refused, takes too long or is not wanted any more. */
function dial({ outside, clock }: ReachDeps, address: string, signal: AbortSignal): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = outside.dial(address, PORT);
    const give = (got: Socket | null): void => {
      timer.cancel();
      signal.removeEventListener('abort', drop);
      if (got === null) socket.destroy();
      resolve(got);
    };
    const drop = (): void => give(null);
    const timer = clock.after(EACH_MS, drop);
    signal.addEventListener('abort', drop, { once: true });
    // Stays when the connection is handed on: an error without a listener would end the host.
    socket.on('error', drop);
    socket.once('connect', () => give(signal.aborted ? null : socket));
  });
}
