/**
 * The model's quota is used up: what a session has open stays open and waits until it resets. One notice to each chat;
 * what comes later waits behind it. What the runner says of the time is a wish: it is bounded here.
 */
import { LIMITS } from '@halfdoor/protocol/limits';
import type { Ack, Address, OutboundMessage } from '@halfdoor/protocol/message';
import type { Tx } from '../db/central.ts';
import { compiled } from '../db/compiled.ts';
import { insertNotice } from '../outbound/notice.ts';
import { queueOf } from '../outbound/ledger.ts';
import { parkedText } from '../outbound/parked-text.ts';
import { settle, type CollectDeps, type CollectedFrom, type Settled } from '../outbound/settle.ts';

/** Dispatches that wait, and until when; none when nothing of the session is open, or when it has waited long enough. */
export type Parked = { ids: string[]; until: string | null };
export type Outcome = { parked: Parked | null; settled: Settled[]; told: Address[] };
type Wish = { resetsAt: string | null; reason: string };
type Open = { id: string; eventId: string; address: Address; parkedAt: string | null };

const REASON_CHARS = 500;
/** A time that is past counts as this far away; one that was wrong before, as further. */
const SOONEST_MS = { first: 1_000, again: 60_000 } as const;

/** When to try again, or null when it has waited long enough. `since`: it has waited before, from then on. */
export function parkUntil(now: Date, since: Date | null, resetsAt: string | null): Date | null {
  const nowMs = now.getTime();
  if (since !== null && nowMs - since.getTime() >= LIMITS.parkedMs) return null;
  const said = resetsAt === null ? Number.NaN : Date.parse(resetsAt) - nowMs;
  const waitMs = Number.isNaN(said)
    ? LIMITS.parkUnsaidMs
    : Math.max(SOONEST_MS[since === null ? 'first' : 'again'], said);
  return new Date(nowMs + Math.min(waitMs, LIMITS.parkMs));
}

/** Inside the commit that collects `row`. The end of the run that wrote it is the caller's. */
export async function park(deps: CollectDeps, tx: Tx, from: CollectedFrom, row: OutboundMessage): Promise<Outcome> {
  const wish = wishOf(row, deps);
  const open = (await OPEN_CHATS.all(tx, { sessionId: from.sessionId })).map(opened);
  const first = open[0];
  if (!first) return { parked: { ids: [], until: null }, settled: [], told: [] };
  const now = deps.now();
  const until = parkUntil(new Date(now), first.parkedAt === null ? null : new Date(first.parkedAt), wish.resetsAt);
  if (until === null) return giveUp(deps, tx, from, row, wish.reason);
  const ids = open.map((it) => it.id);
  await wait(tx, { sessionId: from.sessionId, until: until.toISOString(), now, reason: wish.reason });
  return {
    parked: { ids, until: until.toISOString() },
    settled: [],
    told: await tell(deps, tx, from, open, until, wish),
  };
}

const opened = ({ id, eventId, parkedAt, channel, chat, thread }: Address & Omit<Open, 'address'>): Open => ({
  ...{ id, eventId, parkedAt },
  address: { channel, chat, thread },
});

/** What is said beside the two counts for nothing; a time that is none is nobody's. */
function wishOf(row: OutboundMessage, deps: CollectDeps): Wish {
  const { resetsAt, reason } = row.kind === 'action' ? row.input : {};
  const at = typeof resetsAt === 'string' && !Number.isNaN(Date.parse(resetsAt)) ? resetsAt : null;
  return { resetsAt: at, reason: typeof reason === 'string' ? deps.redact(reason).slice(0, REASON_CHARS) : '' };
}

const OPEN_CHATS = compiled((db, it: { sessionId: string }) =>
  db
    .selectFrom('dispatches')
    .innerJoin('events', 'events.id', 'dispatches.event_id')
    .select(['dispatches.id', 'event_id as eventId', 'parked_at as parkedAt', 'channel', 'chat', 'thread'])
    .where('session_id', '=', it.sessionId)
    .where('state', '=', 'open')
    .where('wakes', '=', 1)
    .where('dispatches.kind', '=', 'chat')
    .orderBy('dispatches.id'),
);
const WAIT = compiled((db, it: { sessionId: string; until: string; now: string; reason: string | null }) =>
  db
    .updateTable('dispatches')
    .set((eb) => ({
      due_at: it.until,
      parked_at: eb.fn.coalesce('parked_at', eb.val(it.now)),
      reason: it.reason,
    }))
    .where('session_id', '=', it.sessionId)
    .where('state', '=', 'open')
    .where('wakes', '=', 1)
    .where('kind', '=', 'chat'),
);

/** All that a session has open waits with the first of it. */
export function wait(
  tx: Tx,
  it: { sessionId: string; until: string; now: string; reason: string | null },
): Promise<number> {
  return WAIT.run(tx, it);
}

/** Once for each time that is given, and once where none is, or one that was wrong before and is near. */
async function tell(
  deps: CollectDeps,
  tx: Tx,
  from: CollectedFrom,
  open: readonly Open[],
  until: Date,
  { resetsAt }: Wish,
): Promise<Address[]> {
  const { name } = await tx
    .selectFrom('agents')
    .select('name')
    .where('id', '=', from.agentId)
    .executeTakeFirstOrThrow();
  const told: Address[] = [];
  const now = new Date(deps.now());
  const isNear = until.getTime() - now.getTime() < LIMITS.parkUnsaidMs;
  for (const [chat, of] of Map.groupBy(open, (it) => queueOf(it.address))) {
    const [first] = of;
    if (!first) continue;
    const said = resetsAt !== null && (first.parkedAt === null || !isNear);
    const key = `parked:${first.id}:${said ? until.toISOString() : ''}:${chat}`;
    const text = parkedText({
      agent: name,
      until,
      now,
      said,
      count: of.length,
    });
    const eventIds = of.map((it) => it.eventId);
    await insertNotice(tx, { key, ...from, address: first.address, text, eventIds }, deps.ids, deps.now());
    told.push(first.address);
  }
  return told;
}

async function giveUp(
  deps: CollectDeps,
  tx: Tx,
  from: CollectedFrom,
  row: OutboundMessage,
  reason: string,
): Promise<Outcome> {
  const { seq, run } = row;
  const acks = row.answers.map((messageId): Ack => ({
    seq,
    run,
    messageId,
    status: 'failed',
    reason: `quota: ${reason}`,
  }));
  const { settled, notified } = await settle(deps, tx, from, acks);
  return { parked: { ids: [], until: null }, settled, told: notified };
}
