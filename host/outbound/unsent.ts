/**
 * What an agent wrote that goes nowhere: its scratch, and rows that were refused. Kept for `trace` alone, cut and counted,
 * so that an agent cannot fill the host's database with it.
 */
import { LIMITS } from '@halfdoor/protocol/limits';
import type { OutboundMessage } from '@halfdoor/protocol/message';
import type { Tx } from '../db/central.ts';
import type { CollectedFrom } from './settle.ts';

/** `refused` says of a row why it was not sent. A batch without such rows costs no statement. */
export async function keepUnsent(
  tx: Tx,
  from: CollectedFrom,
  rows: readonly OutboundMessage[],
  refused: readonly { seq: number; text: string }[],
  now: string,
): Promise<void> {
  const why = new Map(refused.map((it) => [it.seq, it.text]));
  const unsent = rows.filter((it) => it.kind === 'scratch' || why.has(it.seq));
  const known = new Set(unsent.map((it) => it.seq));
  const unreadable = refused.filter((it) => !known.has(it.seq));
  for (const row of unsent) {
    const { seq, run, kind } = row;
    await insert(tx, from, { seq, run, kind, ...contentOf(row), refused: why.get(seq) ?? null, at: now });
    await linkEvents(tx, from, row);
  }
  for (const { seq, text } of unreadable) {
    await insert(tx, from, { seq, run: null, kind: 'unreadable', target: null, text: '', refused: text, at: now });
  }
  if (why.size + unsent.length > 0) await keepNewest(tx, from.sessionId);
}

type Unsent = {
  seq: number;
  run: number | null;
  kind: OutboundMessage['kind'] | 'unreadable';
  target: string | null;
  text: string;
  refused: string | null;
  at: string;
};

function contentOf(row: OutboundMessage): { target: string | null; text: string } {
  switch (row.kind) {
    case 'scratch':
      return { target: null, text: cut(row.text) };
    case 'message':
      return { target: row.destination, text: cut(row.text) };
    case 'action':
      return { target: row.action, text: cut(JSON.stringify(row.input)) };
  }
}

const cut = (text: string): string => Buffer.from(text).subarray(0, LIMITS.unsentBytes).toString('utf8').toWellFormed();

async function insert(tx: Tx, { sessionId }: CollectedFrom, row: Unsent): Promise<void> {
  await tx
    .insertInto('unsent')
    .values({ session_id: sessionId, ...row })
    // A row and an ack may claim the same number: the agent's side is not trusted to count.
    .onConflict((conflict) => conflict.columns(['session_id', 'seq']).doNothing())
    .execute();
}

/** What the agent says it answers counts only for messages of its own session. */
async function linkEvents(tx: Tx, { sessionId }: CollectedFrom, row: OutboundMessage): Promise<void> {
  if (row.answers.length === 0) return;
  await tx
    .insertInto('unsent_events')
    .columns(['event_id', 'session_id', 'seq'])
    .expression((eb) =>
      eb
        .selectFrom('dispatches')
        .select(['event_id', 'session_id', eb.val(row.seq).as('seq')])
        .distinct()
        .where('id', 'in', row.answers)
        .where('session_id', '=', sessionId),
    )
    .execute();
}

async function keepNewest(tx: Tx, sessionId: string): Promise<void> {
  await tx
    .deleteFrom('unsent')
    .where('session_id', '=', sessionId)
    .where('seq', '<=', (eb) =>
      eb
        .selectFrom('unsent')
        .select('seq')
        .where('session_id', '=', sessionId)
        .orderBy('seq', 'desc')
        .limit(1)
        .offset(LIMITS.unsentPerSession),
    )
    .execute();
}
