/**
 * What is over and past its age leaves central, a small transaction at a time: a message with everything of it, dead
 * letters too, then deliveries, runs, audit, scratch and requests that nothing is left of. Whatever belongs to an open message, or
 * still waits to be delivered, stays however old it is.
 *
 * With the event goes what makes a repeat a repeat: a platform id that comes again after that time is a new message.
 */
import { LIMITS } from '@halfdoor/protocol/limits';
import { firstIdAt } from '../ids.ts';
import type { Tx } from '../db/central.ts';

/** `id`: every id made before `at` is below it. */
export type Cutoff = { at: string; id: string };
/** `after`: where the next transaction of this step goes on; null when there is nothing left for it. */
export type Forgotten = { removed: number; after: string | null };
type Step = (tx: Tx, cutoff: Cutoff, after: string) => Promise<Forgotten>;

const EVENTS_LOOKED_AT = 50;

export const cutoffAt = (nowMs: number): Cutoff => ({
  at: new Date(nowMs - LIMITS.keptMs).toISOString(),
  id: firstIdAt(nowMs - LIMITS.keptMs),
});

/** In this order: a delivery may go once no message is left that it answers. Each removes at most `LIMITS.removedRows`. */
export const STEPS: readonly Step[] = [events, deliveries, runs, audit, unsent, egressLog];

async function events(tx: Tx, cutoff: Cutoff, after: string): Promise<Forgotten> {
  const page = await tx
    .selectFrom('events')
    .select('id')
    .where('id', '>', after)
    .where('id', '<', cutoff.id)
    .orderBy('id')
    .limit(EVENTS_LOOKED_AT)
    .execute();
  const last = page.at(-1);
  if (!last) return { removed: 0, after: null };
  const over = await whatIsOver(
    tx,
    page.map((row) => row.id),
    cutoff,
  );
  const removed = over.length === 0 ? 0 : await removeEvents(tx, over);
  // A full transaction has not done all of its page yet.
  return { removed, after: removed >= LIMITS.removedRows ? after : last.id };
}

async function whatIsOver(tx: Tx, ids: string[], { at }: Cutoff): Promise<string[]> {
  const rows = await tx
    .selectFrom('events')
    .select('id')
    .where('id', 'in', ids)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('dispatches')
            .select('dispatches.id')
            .whereRef('dispatches.event_id', '=', 'events.id')
            .where((it) => it.or([it('settled_at', 'is', null), it('settled_at', '>=', at)])),
        ),
      ),
    )
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('delivery_events')
            .innerJoin('deliveries', 'deliveries.id', 'delivery_events.delivery_id')
            .select('deliveries.id')
            .whereRef('delivery_events.event_id', '=', 'events.id')
            .where((it) => it.or([it('settled_at', 'is', null), it('settled_at', '>=', at)])),
        ),
      ),
    )
    .execute();
  return rows.map((row) => row.id);
}

/** What refers to them first, then they themselves, as far as one transaction may go. Returns the number of rows. */
async function removeEvents(tx: Tx, ids: string[]): Promise<number> {
  let removed = 0;
  for (const remove of [removeLinks, removeUnsentLinks, removeTries, removeDispatches]) {
    removed += await remove(tx, ids, LIMITS.removedRows - removed);
    if (removed >= LIMITS.removedRows) return removed;
  }
  const { numDeletedRows } = await tx
    .deleteFrom('events')
    .where('id', 'in', ids.slice(0, LIMITS.removedRows - removed))
    .executeTakeFirstOrThrow();
  return removed + Number(numDeletedRows);
}

async function removeLinks(tx: Tx, ids: string[], limit: number): Promise<number> {
  const { numDeletedRows } = await tx
    .deleteFrom('delivery_events')
    .where(({ eb, refTuple, selectFrom }) =>
      eb(
        refTuple('event_id', 'delivery_id'),
        'in',
        selectFrom('delivery_events')
          .select(['event_id', 'delivery_id'])
          .where('event_id', 'in', ids)
          .limit(limit)
          .$asTuple('event_id', 'delivery_id'),
      ),
    )
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

async function removeUnsentLinks(tx: Tx, ids: string[], limit: number): Promise<number> {
  const { numDeletedRows } = await tx
    .deleteFrom('unsent_events')
    .where(({ eb, refTuple, selectFrom }) =>
      eb(
        refTuple('event_id', 'session_id', 'seq'),
        'in',
        selectFrom('unsent_events')
          .select(['event_id', 'session_id', 'seq'])
          .where('event_id', 'in', ids)
          .limit(limit)
          .$asTuple('event_id', 'session_id', 'seq'),
      ),
    )
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

async function removeTries(tx: Tx, ids: string[], limit: number): Promise<number> {
  const { numDeletedRows } = await tx
    .deleteFrom('tries')
    .where(({ eb, refTuple, selectFrom }) =>
      eb(
        refTuple('dispatch_id', 'n'),
        'in',
        selectFrom('tries')
          .innerJoin('dispatches', 'dispatches.id', 'tries.dispatch_id')
          .select(['dispatch_id', 'n'])
          .where('event_id', 'in', ids)
          .limit(limit)
          .$asTuple('dispatch_id', 'n'),
      ),
    )
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

/** The session keeps their number: a lost inbound.db is made again with numbers above all that were ever used. */
async function removeDispatches(tx: Tx, ids: string[], limit: number): Promise<number> {
  const rows = await tx
    .deleteFrom('dispatches')
    .where('id', 'in', (eb) => eb.selectFrom('dispatches').select('id').where('event_id', 'in', ids).limit(limit))
    .returning('session_id')
    .execute();
  const counts = new Map<string, number>();
  for (const { session_id } of rows) counts.set(session_id, (counts.get(session_id) ?? 0) + 1);
  for (const [id, count] of counts) {
    await tx
      .updateTable('sessions')
      .set((eb) => ({ forgotten: eb('forgotten', '+', count) }))
      .where('id', '=', id)
      .execute();
  }
  return rows.length;
}

async function deliveries(tx: Tx, cutoff: Cutoff, after: string): Promise<Forgotten> {
  const page = await tx
    .selectFrom('deliveries')
    .select('id')
    .where('id', '>', after)
    .where('id', '<', cutoff.id)
    .orderBy('id')
    .limit(LIMITS.removedRows)
    .execute();
  const last = page.at(-1);
  if (!last) return { removed: 0, after: null };
  const { numDeletedRows } = await tx
    .deleteFrom('deliveries')
    .where('id', '>', after)
    .where('id', '<=', last.id)
    .where('settled_at', '<', cutoff.at)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('delivery_events')
            .select('event_id')
            .whereRef('delivery_events.delivery_id', '=', 'deliveries.id'),
        ),
      ),
    )
    .executeTakeFirstOrThrow();
  return { removed: Number(numDeletedRows), after: last.id };
}

async function runs(tx: Tx, cutoff: Cutoff): Promise<Forgotten> {
  const { numDeletedRows } = await tx
    .deleteFrom('runs')
    .where(({ eb, refTuple, selectFrom }) =>
      eb(
        refTuple('session_id', 'run'),
        'in',
        selectFrom('runs')
          .select(['session_id', 'run'])
          .where('ended_at', 'is not', null)
          .where('ended_at', '<', cutoff.at)
          .limit(LIMITS.removedRows)
          .$asTuple('session_id', 'run'),
      ),
    )
    .executeTakeFirstOrThrow();
  return untilFewer(Number(numDeletedRows));
}

async function audit(tx: Tx, cutoff: Cutoff): Promise<Forgotten> {
  const { numDeletedRows } = await tx
    .deleteFrom('audit')
    .where('id', 'in', (eb) =>
      eb.selectFrom('audit').select('id').where('id', '<', cutoff.id).limit(LIMITS.removedRows),
    )
    .executeTakeFirstOrThrow();
  return untilFewer(Number(numDeletedRows));
}

async function unsent(tx: Tx, cutoff: Cutoff): Promise<Forgotten> {
  const over = tx
    .selectFrom('unsent')
    .leftJoin('unsent_events', (join) =>
      join.onRef('unsent_events.session_id', '=', 'unsent.session_id').onRef('unsent_events.seq', '=', 'unsent.seq'),
    )
    .select(['unsent.session_id', 'unsent.seq'])
    .where('at', '<', cutoff.at)
    .where('event_id', 'is', null)
    .limit(LIMITS.removedRows);
  const { numDeletedRows } = await tx
    .deleteFrom('unsent')
    .where(({ eb, refTuple }) => eb(refTuple('session_id', 'seq'), 'in', over.$asTuple('session_id', 'seq')))
    .executeTakeFirstOrThrow();
  return untilFewer(Number(numDeletedRows));
}

async function egressLog(tx: Tx, cutoff: Cutoff): Promise<Forgotten> {
  const { numDeletedRows } = await tx
    .deleteFrom('egress_log')
    .where('n', 'in', (eb) =>
      eb.selectFrom('egress_log').select('n').where('at', '<', cutoff.at).limit(LIMITS.removedRows),
    )
    .executeTakeFirstOrThrow();
  return untilFewer(Number(numDeletedRows));
}

const untilFewer = (removed: number): Forgotten => ({ removed, after: removed < LIMITS.removedRows ? null : '' });
