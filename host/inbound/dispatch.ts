/** The frozen link between one event, one agent and one session, and what accepting leaves to be done. */
import type { InboundFile, NewInbound, Role } from '@halfdoor/protocol/message';
import type { Incoming } from '../channels/channel-host.ts';
import type { Tx } from '../db/central.ts';
import { compiled } from '../db/compiled.ts';
import type { Ids } from '../ids.ts';
import type { Delivery } from '../outbound/ledger.ts';
import { projected } from './enqueue.ts';
import type { Routed } from './route.ts';

export type ToEnqueue = { sessionId: string; agentId: string; message: NewInbound };

/** What must happen after the commit; losing it to a crash loses nothing, as the next start finds it in central. */
export type Aftermath = {
  enqueue: ToEnqueue[];
  heads: Delivery[];
  /** Sessions that a clean start ended. */
  ended: { sessionId: string; agentId: string }[];
  settledEvents: string[];
};

/** One thing from outside on its way through accept. */
export type Arrival = {
  incoming: Incoming;
  role: Role;
  eventId: string;
  at: string;
  status: string;
  files: InboundFile[];
};

/** The content of its event. */
export const contentOf = ({ incoming: { text }, files }: Arrival): string =>
  JSON.stringify(files.length === 0 ? { text } : { text, files });

type NewDispatch = {
  id: string;
  event_id: string;
  agent_id: string;
  session_id: string;
  kind: 'chat' | 'control';
  wakes: 0 | 1;
};
const INSERT_DISPATCH = compiled((db, it: NewDispatch) =>
  db.insertInto('dispatches').values({
    id: it.id,
    event_id: it.event_id,
    agent_id: it.agent_id,
    session_id: it.session_id,
    kind: it.kind,
    wakes: it.wakes,
    state: 'open',
    tries: 0,
  }),
);

/** One frozen dispatch. */
export async function dispatch(
  deps: { ids: Ids },
  tx: Tx,
  arrival: Arrival,
  to: Routed & { sessionId: string },
  kind: 'chat' | 'control',
  wakes: boolean,
): Promise<ToEnqueue> {
  const id = deps.ids();
  const frozen = { id, event_id: arrival.eventId, agent_id: to.agentId, session_id: to.sessionId, kind };
  await INSERT_DISPATCH.run(tx, { ...frozen, wakes: wakes ? 1 : 0 });
  const { address, sender } = arrival.incoming;
  const content = contentOf(arrival);
  const message = projected({ id, kind, wakes, address, sender, role: arrival.role, content, receivedAt: arrival.at });
  return { sessionId: to.sessionId, agentId: to.agentId, message };
}
