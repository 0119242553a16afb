/** GET /v1/agents/:name/chat: a terminal connects and stays; one JSON object a line. */
import type { ServerResponse } from 'node:http';
import type { AgentView, ChatEvent } from './contract.ts';
import { Partials } from './partials.ts';
import type { Outgoing } from '../channels/channel.ts';
import type { TerminalChannel } from '../channels/terminal.ts';
import type { Central } from '../db/central.ts';
import { compiled } from '../db/compiled.ts';
import type { Signals } from '../signals.ts';

export type ChatDeps = { central: Central; terminal: TerminalChannel; signals: Signals; now(): string };

/** Past this much unread text the client is cut off: what it missed is shown when it comes back. */
const UNREAD_BYTES = 8 * 1024 * 1024;
/** Past this much, pieces of replies wait until the client has read. */
const BEHIND_BYTES = 64 * 1024;

export async function serveChat(deps: ChatDeps, agent: AgentView, outgoing: ServerResponse): Promise<void> {
  outgoing.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  const write = (event: ChatEvent): void => {
    if (outgoing.destroyed || outgoing.writableEnded) return;
    outgoing.write(`${JSON.stringify(event)}\n`);
    // Node holds a chunk back until nothing else is to be done in this turn of the loop; somebody waits for this one.
    outgoing.socket?.uncork();
    if (outgoing.writableLength > UNREAD_BYTES) outgoing.destroy();
  };
  const { provider, model, sandbox, name } = agent;
  write({ type: 'ready', agent: name, provider, model, sandbox, waiting: await waitingIn(deps.central, name) });
  let told = Promise.resolve();
  const partials = new Partials(deps.central, { channel: 'terminal', chat: name }, (event) => {
    const behind = outgoing.writableLength > BEHIND_BYTES;
    if (!behind) write(event);
    return !behind;
  });
  const ends = [
    tellProgress(deps.signals, agent.id, write),
    deps.signals.on('progress', ({ sessionId, agentId, progress }) => partials.take(sessionId, agentId, progress)),
    deps.signals.on('session', ({ agentId, state, parkedUntil }) => {
      if (agentId !== agent.id) return;
      if (state === 'asleep' && parkedUntil)
        write({ type: 'progress', state: 'parked', detail: parkedUntil, since: deps.now() });
      if (state === 'starting') write({ type: 'progress', state, detail: null, since: deps.now() });
    }),
    tellPlace(deps, agent.id, write),
    deps.signals.on('settled', ({ eventIds }) => (told = tellSettled(deps.central, agent.id, eventIds, write))),
    deps.signals.on('deleted', ({ agentId }) => {
      if (agentId === agent.id) void told.finally(() => outgoing.end());
    }),
    deps.terminal.connect(name, { show: (it) => write(messageEvent(it)) }),
  ];
  outgoing.on('close', () => ends.forEach((end) => end()));
}

/** The time counts from when it began to wait, not from when it last moved up. */
function tellPlace(deps: ChatDeps, agent: string, write: (event: ChatEvent) => void): () => void {
  let since: string | null = null;
  const ends = [
    deps.signals.on('place', ({ agentId, n, of }) => {
      if (agentId !== agent) return;
      since ??= deps.now();
      write({ type: 'progress', state: 'queued', detail: `${n} of ${of}`, since });
    }),
    deps.signals.on('session', ({ agentId, state }) => {
      if (agentId === agent && state !== 'waiting') since = null;
    }),
  ];
  return () => ends.forEach((end) => end());
}

/** Each change of state once, however often the text behind it changes. */
function tellProgress(signals: Signals, agent: string, write: (event: ChatEvent) => void): () => void {
  let told = '';
  return signals.on('progress', ({ sessionId, agentId, progress }) => {
    if (agentId !== agent) return;
    const { state, detail, since } = progress;
    const now = JSON.stringify([sessionId, state, detail, since]);
    if (now !== told) write({ type: 'progress', state, detail, since });
    told = now;
  });
}

const WAITING = compiled((db, it: { chat: string }) =>
  db
    .selectFrom('deliveries')
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .where('channel', '=', 'terminal')
    .where('chat', '=', it.chat)
    .where('state', 'in', ['queued', 'sending']),
);
const ENDED = compiled((db, it: { eventId: string; agentId: string }) =>
  db
    .selectFrom('dispatches')
    .select('state')
    .where('event_id', '=', it.eventId)
    .where('agent_id', '=', it.agentId)
    .where('state', '!=', 'open')
    // What was taken up again has ended when that has.
    .where((eb) => eb.or([eb('closed', 'is', null), eb('closed', '!=', 'replayed')])),
);

async function waitingIn(central: Central, chat: string): Promise<number> {
  return (await WAITING.first(central.read, { chat }))?.n ?? 0;
}

async function tellSettled(
  central: Central,
  agentId: string,
  eventIds: string[],
  write: (event: ChatEvent) => void,
): Promise<void> {
  for (const message of eventIds) {
    const ended = await ENDED.first(central.read, { eventId: message, agentId });
    if (ended && ended.state !== 'open') write({ type: 'settled', message, status: ended.state });
  }
}

function messageEvent(it: Outgoing): ChatEvent {
  const { delivery, seq, text, notice, mayBeDuplicate, answers, files } = it;
  return {
    type: 'message',
    delivery,
    seq,
    text,
    ...(files.length > 0 && { files: [...files] }),
    notice,
    mayBeDuplicate,
    answers,
  };
}
