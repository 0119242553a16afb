/** What happened to a message, one line after the other. Pure: facts in, hops out. */
import type { TraceHop } from '../api/operator-contract.ts';
import { failureOf } from '../outbound/failure.ts';
import type { DeliveryFact, DispatchFact, EventFact, Facts, UnsentFact } from './facts.ts';
import type { Live } from './live.ts';

type Timed = Omit<TraceHop, 'afterMs'>;

/** In the order in which it happened; what holds now stands last. `live` by dispatch id. */
export function hopsOf(facts: Facts, live: ReadonlyMap<string, Live>): TraceHop[] {
  const { event, dispatches, deliveries, unsent } = facts;
  const first = [accepted(event), ...dispatches.filter((it) => it.replayOf === null).flatMap(routed(facts, live))];
  const then: Timed[] = [
    ...repeated(event),
    ...runs(dispatches),
    // Of one commit: what an agent wrote stands before the end that it brought about, what the host says behind it.
    ...unsent.map(notes),
    ...deliveries.filter((it) => it.seq !== null).map(written),
    ...dispatches.flatMap(triesAndEnd),
    ...dispatches.filter((it) => it.replayOf !== null).flatMap(routed(facts, live)),
    ...deliveries.filter((it) => it.seq === null).map(written),
    ...deliveries.flatMap(endOfDelivery),
  ];
  // Stable: what has no time stays behind what it belongs to.
  const times = filledTimes(then, event.receivedAt);
  const order = then.map((_, at) => at).sort((a, b) => compare(times[a] ?? '', times[b] ?? '') || a - b);
  const now = [...dispatches.flatMap((it) => liveHops(it, live.get(it.id))), ...deliveries.flatMap(waiting)];
  return [...first, ...order.flatMap((at) => then[at] ?? []), ...now].map((hop) => ({
    ...hop,
    afterMs: hop.at === null ? null : Date.parse(hop.at) - Date.parse(event.receivedAt),
  }));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function filledTimes(hops: readonly Timed[], from: string): string[] {
  let last = from;
  return hops.map((hop) => (last = hop.at ?? last));
}

function accepted(it: EventFact): Timed {
  const place = `${it.address.channel}:${it.address.chat}${it.address.thread === null ? '' : `/${it.address.thread}`}`;
  const who = it.sender === null ? 'the host' : `${it.sender} (${it.role ?? 'unknown'})`;
  const what = it.kind === 'command' ? `command ${it.text.trim()} ` : '';
  return { at: it.receivedAt, what: 'accepted', text: `${what}from ${who} in ${place}, id ${it.platformId}` };
}

function repeated(it: EventFact): Timed[] {
  if (it.repeats === 0) return [];
  const times = it.repeats === 1 ? 'once more' : `${it.repeats} times more`;
  return [{ at: it.repeatedAt, what: 'repeated', text: `the same id came ${times}, last now: still one message` }];
}

const routed =
  ({ event, dispatches }: Facts, live: ReadonlyMap<string, Live>) =>
  (it: DispatchFact): Timed[] => {
    const ids = { session: it.sessionId, dispatch: it.id };
    const replayed = dispatches.find((one) => one.id === it.replayOf);
    const at = replayed?.closedAt ?? event.receivedAt;
    const seq = live.get(it.id)?.inboundSeq ?? null;
    return [
      { at, what: 'routed', text: whyRouted(event, it), ...ids },
      { at: null, ...projectedAs(it, seq), ...ids },
    ];
  };

function whyRouted({ address }: EventFact, it: DispatchFact): string {
  const where = `agent ${it.agent}, session ${it.sessionId}`;
  if (it.replayOf !== null) return `${where}: dead letter ${it.replayOf} taken up again`;
  if (it.kind === 'control') return `${where}: carried out there ahead of everything else`;
  if (it.kind === 'notice') return `${where}: the host tells its agent`;
  return `${where}: it is wired to ${address.channel}:${address.chat} and takes up every message there`;
}

function projectedAs(it: DispatchFact, seq: number | null): Pick<Timed, 'what' | 'text' | 'seq'> {
  if (seq !== null) return { what: 'projected', text: `in inbound.db as #${seq}`, seq };
  const gone = it.state === 'open' ? 'not in inbound.db yet' : 'no longer in inbound.db: what is settled is removed';
  return { what: 'projected', text: gone };
}

/** Each run once, though several dispatches may have waited for it. */
function runs(dispatches: readonly DispatchFact[]): Timed[] {
  const known = new Map(
    dispatches.flatMap((it) => it.runs.map((run) => [`${it.sessionId} ${run.run}`, { ...run, session: it.sessionId }])),
  );
  return [...known.values()].flatMap(({ session, run, startedAt, endedAt, ending }) => [
    { at: startedAt, what: 'run' as const, text: `run ${run} began`, session, run },
    ...(endedAt === null
      ? []
      : [{ at: endedAt, what: 'run' as const, text: `run ${run} ended: ${ending ?? 'unknown'}`, session, run }]),
  ]);
}

function triesAndEnd(it: DispatchFact): Timed[] {
  const ids = { session: it.sessionId, dispatch: it.id };
  const tries = it.tries.map(({ n, run, ending, at }): Timed => {
    const who = run === null ? 'no run could be made' : `run ${run} ended on it`;
    return { at, what: 'tried', text: `${who}: ${ending} (try ${n})`, ...ids, ...(run !== null && { run }) };
  });
  if (it.parkedAt !== null) tries.push({ at: it.parkedAt, what: 'parked', text: whyParked(it), ...ids });
  const end: Timed[] = it.settledAt === null ? [] : [{ at: it.settledAt, what: 'settled', text: endOf(it), ...ids }];
  if (it.closed === 'replayed')
    end.push({ at: it.closedAt, what: 'replayed', text: 'a person took it up again', ...ids });
  if (it.closed === 'dropped')
    end.push({ at: it.closedAt, what: 'dropped', text: 'a person ended it for good', ...ids });
  return [...tries, ...end];
}

function whyParked({ state, dueAt, reason }: DispatchFact): string {
  const why = state === 'open' && reason !== null ? ` (${reason})` : '';
  const until = state === 'open' && dueAt !== null ? `, until ${dueAt}` : '';
  return `the model's quota was used up${why}: it waits${until}`;
}

function endOf(it: DispatchFact): string {
  if (it.state !== 'done') return `${it.state} (${it.reason ?? 'no reason'}): ${failureOf(it.reason).error}`;
  return it.reason === null ? `done by ${it.agent}` : `done by ${it.agent} (${it.reason})`;
}

function notes(it: UnsentFact): Timed {
  const { seq, sessionId: session, at } = it;
  const more = { at, session, seq, ...(it.run !== null && { run: it.run }), ...(it.text !== '' && { body: it.text }) };
  if (it.refused === null) return { what: 'notes', text: `#${seq}: text of the agent for nobody`, ...more };
  const to = it.target === null ? '' : ` for ${JSON.stringify(it.target)}`;
  return { what: 'refused', text: `#${seq}${to}: ${it.refused}`, ...more };
}

const idsOf = (it: DeliveryFact) => ({ delivery: it.id, ...(it.seq !== null && { seq: it.seq }) });

function written(it: DeliveryFact): Timed {
  const ids = idsOf(it);
  const place = `${it.address.channel}:${it.address.chat}`;
  return it.seq === null
    ? { at: it.createdAt, what: 'notice', text: `the host to ${place}`, body: it.text, ...ids }
    : {
        at: it.createdAt,
        what: 'wrote',
        text: `#${it.seq} to "${it.destination}" (${place}): allowed`,
        ...ids,
        body: it.text,
      };
}

function endOfDelivery(it: DeliveryFact): Timed[] {
  const ids = idsOf(it);
  const end: Timed[] = it.settledAt === null ? [] : [{ at: it.settledAt, ...howDelivered(it), ...ids }];
  if (it.closed === null) return end;
  return [...end, { at: it.closedAt, what: 'dropped', text: 'a person ended it for good', ...ids }];
}

function waiting(it: DeliveryFact): Timed[] {
  return it.settledAt === null ? [{ at: null, ...howDelivered(it), ...idsOf(it) }] : [];
}

function howDelivered(it: DeliveryFact): Pick<Timed, 'what' | 'text'> {
  const again = it.mayBeDuplicate ? '; it was sent before and says that it may be a duplicate' : '';
  const name = it.seq === null ? 'the notice' : `#${it.seq}`;
  const tries =
    it.tries === 0 ? '' : `, ${it.tries} ${it.tries === 1 ? 'try' : 'tries'} failed (${it.reason ?? 'no reason'})`;
  const due = it.dueAt === null ? '' : `, again at ${it.dueAt}`;
  switch (it.state) {
    case 'delivered':
      return { what: 'delivered', text: `${name} arrived${it.platformId ? ` as ${it.platformId}` : ''}${again}` };
    case 'dead':
      return { what: 'undelivered', text: `${name} was given up: ${it.reason ?? 'no reason'}${again}` };
    case 'sending':
      return { what: 'undelivered', text: `${name} is being handed over${tries}${again}` };
    case 'queued':
      return { what: 'undelivered', text: `${name} waits${tries}${due}${again}` };
  }
}

function liveHops(it: DispatchFact, live: Live | undefined): Timed[] {
  if (it.state !== 'open' || live === undefined) return [];
  const ids = { at: null, session: it.sessionId, dispatch: it.id };
  const { heartbeat, progress, uncollected, unread } = live;
  const hops: Timed[] = [];
  if (heartbeat?.claims.includes(it.id)) {
    const at = progress === null ? '' : `; it is at ${[progress.state, progress.detail ?? []].flat().join(', ')}`;
    const text = `by run ${heartbeat.run}, as its heartbeat last said${at}`;
    hops.push({ ...ids, what: 'claimed', text, run: heartbeat.run });
  }
  for (const row of uncollected.messages) {
    const to = row.kind === 'message' ? `to "${row.destination}"` : row.kind;
    const body = row.kind === 'action' ? {} : { body: row.text };
    hops.push({ ...ids, what: 'uncollected', text: `#${row.seq} ${to}: not collected yet`, seq: row.seq, ...body });
  }
  for (const ack of uncollected.acks) {
    hops.push({ ...ids, what: 'uncollected', text: `${ack.status} (${ack.reason ?? 'no reason'}): not collected yet` });
  }
  if (unread !== null) hops.push({ ...ids, what: 'uncollected', text: `could not be read just now: ${unread}` });
  return hops;
}
