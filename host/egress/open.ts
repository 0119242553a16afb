/** The way out of a host, put together: rules and record are central's, the network is this machine's or a test's. */
import type { Clock } from '../clock.ts';
import type { Central } from '../db/central.ts';
import type { Log } from '../log.ts';
import { GUARDS } from './guards.ts';
import type { NetDeps } from './net.ts';
import { searchEndpoint } from '../search/endpoint.ts';
import type { Outside } from './outside.ts';
import { EgressRecord, movedSince } from './record.ts';
import { WayOut } from './way-out.ts';

export type OpenDeps = Pick<NetDeps, 'keys' | 'redactor'> & {
  central: Central;
  clock: Clock;
  log: Log;
  outside: Outside;
};

export function openWayOut({ central, clock, log, outside, keys, redactor }: OpenDeps) {
  const record = new EgressRecord({ central, clock, log });
  const wayOut = new WayOut({
    ...{ clock, outside, guards: GUARDS },
    rulesOf: (agentId) => rulesOf(central, agentId),
    movedSince: (sessionId, at) => movedSince(central, sessionId, at),
    note: (it) => record.note(it),
  });
  const net: NetDeps = { keys, redactor, clock, log, wayOut, searchEndpoint: () => searchEndpoint(central) };
  return { wayOut, net, recorded: () => record.keep() };
}

async function rulesOf({ read }: Central, agentId: string): Promise<string[]> {
  const rows = await read.selectFrom('egress_rules').select('rule').where('agent_id', '=', agentId).execute();
  return rows.map((row) => row.rule);
}
