/** What of a session waits for its model's quota, as central knows it. */
import type { Kysely } from 'kysely';
import { wait } from '../actions/park.ts';
import type { Central } from '../db/central.ts';
import { compiled } from '../db/compiled.ts';
import type { Schema } from '../db/schema.ts';
import type { Due } from './wake.ts';

const PARKED = compiled((db, it: { sessionId: string }) =>
  db
    .selectFrom('dispatches')
    .select(['due_at as until', 'reason'])
    .where('session_id', '=', it.sessionId)
    .where('state', '=', 'open')
    .where('due_at', 'is not', null)
    .orderBy('due_at', 'desc')
    .limit(1),
);

export type Waiting = { until: string; reason: string | null };

/** Null when nothing of this session waits. */
export async function waitingOf(db: Kysely<Schema>, sessionId: string): Promise<Waiting | null> {
  const row = await PARKED.first(db, { sessionId });
  return row?.until ? { until: row.until, reason: row.reason } : null;
}

/**
 * Whether what is open waits: what came since joins it, so that nobody asks the model in between. Not what is due by
 * now, and not when somebody wants to take it back: that is what the next run is for.
 */
export async function parkedWith(
  deps: { central: Central; now(): string },
  sessionId: string,
  { waiting, open }: Due,
): Promise<string | null> {
  const now = deps.now();
  if (waiting === null || waiting.until <= now || open.some((it) => it.kind === 'control')) return null;
  await deps.central.commit('park', (tx) => wait(tx, { sessionId, ...waiting, now }));
  return waiting.until;
}
