/** GET /v1/agents/:name/chat: a terminal connects and stays; one JSON object a line. */
import type { ServerResponse } from 'node:http';
import type { AgentView, ChatEvent } from './contract.ts';
import type { Outgoing } from '../channels/channel.ts';
import type { TerminalChannel } from '../channels/terminal.ts';
import type { Central } from '../db/central.ts';
import type { Signals } from '../signals.ts';

export type ChatDeps = { central: Central; terminal: TerminalChannel; signals: Signals; now(): string };

/** Past this much unread text the client is cut off: what it missed is shown when it comes back. */
const UNREAD_BYTES = 8 * 1024 * 1024;

export async function serveChat(deps: ChatDeps, agent: AgentView, outgoing: ServerResponse): Promise<void> {
  outgoing.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  const write = (event: ChatEvent): void => {
    if (outgoing.destroyed) return;
    outgoing.write(`${JSON.stringify(event)}\n`);
    if (outgoing.writableLength > UNREAD_BYTES) outgoing.destroy();
  };
  const { provider, model, sandbox, name } = agent;
  write({ type: 'ready', agent: name, provider, model, sandbox, waiting: await waitingIn(deps.central, name) });
  const ends = [
    deps.signals.on('progress', ({ agentId, progress }) => {
      const { state, detail, since } = progress;
      if (agentId === agent.id) write({ type: 'progress', state, detail, since });
    }),
    deps.signals.on('session', ({ agentId, state }) => {
      if (agentId !== agent.id || (state !== 'waiting' && state !== 'starting')) return;
      write({ type: 'progress', state: state === 'waiting' ? 'queued' : 'starting', detail: null, since: deps.now() });
    }),
    deps.signals.on('settled', ({ eventIds }) => void tellSettled(deps.central, agent.id, eventIds, write)),
    deps.terminal.connect(name, { show: (it) => write(messageEvent(it)) }),
  ];
  outgoing.on('close', () => ends.forEach((end) => end()));
}

async function waitingIn(central: Central, chat: string): Promise<number> {
  const { n } = await central.read
    .selectFrom('deliveries')
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .where('channel', '=', 'terminal')
    .where('chat', '=', chat)
    .where('state', 'in', ['queued', 'sending'])
    .executeTakeFirstOrThrow();
  return n;
}

async function tellSettled(
  central: Central,
  agentId: string,
  eventIds: string[],
  write: (event: ChatEvent) => void,
): Promise<void> {
  const rows = await central.read
    .selectFrom('dispatches')
    .select(['event_id', 'state'])
    .where('event_id', 'in', eventIds)
    .where('agent_id', '=', agentId)
    .where((eb) => eb.or([eb('closed', 'is', null), eb('closed', '!=', 'replayed')]))
    .execute();
  for (const { event_id: message, state } of rows)
    if (state !== 'open') write({ type: 'settled', message, status: state });
}

function messageEvent(it: Outgoing): ChatEvent {
  const { delivery, seq, text, notice, mayBeDuplicate, answers } = it;
  return { type: 'message', delivery, seq, text, notice, mayBeDuplicate, answers };
}
