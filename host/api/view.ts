/** What central knows, as the API shows it. */
import type { Kysely } from 'kysely';
import type { Schema } from '../db/schema.ts';
import { failureOf } from '../outbound/failure.ts';
import type { DeliveryContent } from '../outbound/ledger.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { MessageView, Reply, SessionView } from './contract.ts';

type Shown = Reply & { notice: boolean };

type Chat = { channel: string; chat: string };

/** One event with what was said to it so far, anywhere or `only` in its own chat; null when there is none of this id. */
export async function messageView(db: Kysely<Schema>, id: string, only?: Chat): Promise<MessageView | null> {
  const event = await db
    .selectFrom('events')
    .select(['kind', 'channel', 'chat'])
    .where('id', '=', id)
    .executeTakeFirst();
  if (!event || (only && !(event.channel === only.channel && event.chat === only.chat))) return null;
  // What was taken up again counts as it goes on, not as it ended.
  const dispatches = await db
    .selectFrom('dispatches')
    .select(['state', 'reason'])
    .where('event_id', '=', id)
    .where((eb) => eb.or([eb('closed', 'is', null), eb('closed', '!=', 'replayed')]))
    .execute();
  const shown = await shownTo(db, id, only);
  const isCommand = event.kind === 'command';
  const strip = ({ notice: _notice, ...it }: Shown): Reply => it;
  const replies = shown.filter((it) => isCommand || !it.notice).map(strip);
  const notices = shown.filter((it) => !isCommand && it.notice).map(strip);
  if (dispatches.some((it) => it.state === 'open')) return { id, status: 'accepted', replies, notices };
  const failed = isCommand ? undefined : dispatches.find((it) => it.state !== 'done');
  if (failed) return { id, status: 'failed', replies, notices, ...failureOf(failed.reason) };
  return { id, status: replies.length > 0 ? 'answered' : 'no-reply', replies, notices };
}

async function shownTo(db: Kysely<Schema>, eventId: string, only?: Chat): Promise<Shown[]> {
  const rows = await db
    .selectFrom('delivery_events')
    .innerJoin('deliveries', 'deliveries.id', 'delivery_events.delivery_id')
    .select(['deliveries.id', 'seq', 'content', 'destination', 'channel', 'chat'])
    .where('delivery_events.event_id', '=', eventId)
    .orderBy('ordinal')
    .execute();
  const here = only ? rows.filter((row) => row.channel === only.channel && row.chat === only.chat) : rows;
  return here.map((row) => {
    const content = JSON.parse(row.content) as DeliveryContent;
    const to = row.destination ?? `${row.channel}:${row.chat}`;
    const { text, files } = content;
    return {
      delivery: row.id,
      seq: row.seq,
      text,
      ...(files && { files: [...files] }),
      to,
      notice: content.type === 'notice',
    };
  });
}

const SESSIONS_SHOWN = 200;

/** The newest sessions, or the one whose id begins so. */
export async function sessionViews(
  db: Kysely<Schema>,
  sessions: Sessions,
  folderOf: (id: string) => string,
  idPrefix: string | null,
): Promise<SessionView[]> {
  let query = db
    .selectFrom('sessions')
    .innerJoin('agents', 'agents.id', 'sessions.agent_id')
    .select(['sessions.id', 'agents.name', 'sessions.key', 'run', 'cursor', 'sessions.created_at', 'ended_at'])
    .select((eb) =>
      eb
        .selectFrom('dispatches')
        .whereRef('dispatches.session_id', '=', 'sessions.id')
        .where('state', '=', 'open')
        .select((inner) => inner.fn.countAll<number>().as('n'))
        .as('open'),
    )
    .where('agents.deleted_at', 'is', null)
    .orderBy('sessions.id', 'desc')
    .limit(SESSIONS_SHOWN);
  if (idPrefix !== null) query = query.where('sessions.id', '>=', idPrefix).where('sessions.id', '<', `${idPrefix}g`);
  const rows = await query.execute();
  return rows.map((row) => ({
    id: row.id,
    agent: row.name,
    key: row.key,
    ...sessions.state(row.id),
    run: row.run,
    cursor: row.cursor,
    open: row.open ?? 0,
    folder: folderOf(row.id),
    createdAt: row.created_at,
    endedAt: row.ended_at,
  }));
}
