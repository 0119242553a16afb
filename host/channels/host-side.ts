/** What each channel has of the host. */
import { randomBytes } from 'node:crypto';
import type { Address } from '@halfdoor/protocol/message';
import type { Clock } from '../clock.ts';
import type { Home } from '../home.ts';
import type { Ids } from '../ids.ts';
import type { Accepted } from '../inbound/accept.ts';
import { makeDoor } from '../inbound/door.ts';
import type { Log } from '../log.ts';
import type { ChannelHost, Incoming } from './channel-host.ts';

type HostSideDeps = { home: Home; ids: Ids; clock: Clock; log: Log; redact(text: string): string };
/** The parts that channels reach; they are made after the channels, and nothing is asked of them before that. */
type Reached = {
  accept(incoming: Incoming): Promise<Accepted>;
  deliverer: { kick(address: Address): Promise<void> };
};

export function channelHosts(deps: HostSideDeps, reached: () => Reached): (name: string) => ChannelHost {
  const { home, ids, clock, log, redact } = deps;
  const accept = makeDoor({ accept: (incoming) => reached().accept(incoming), log, redact });
  return (name) => ({
    name,
    accept,
    ready: (address) => void reached().deliverer.kick(address),
    spool: home.spool,
    now: () => clock.now(),
    after: (ms, fn) => clock.after(ms, fn),
    random: () => randomBytes(4).readUInt32BE() / 2 ** 32,
    newId: ids,
    log: log.scope(name),
  });
}
