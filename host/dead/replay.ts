/**
 * Takes a dead letter up again. A message becomes a new dispatch of the same event, as the runner knows the old one for
 * settled; the old one stays for the record. A delivery goes to the end of its queue.
 */
import type { Address, InboundFile } from '@halfdoor/protocol/message';
import type { DeadView, ReplayAllView, ReplayView } from '../api/operator-contract.ts';
import type { Tx } from '../db/central.ts';
import type { AcceptDeps } from '../inbound/accept.ts';
import { dispatch, type Arrival, type ToEnqueue } from '../inbound/dispatch.ts';
import { errorText } from '../log.ts';
import { Refusal } from '../refusal.ts';
import { noteDecision } from './decision.ts';
import { deadLetters } from './letters.ts';

export type ReplayDeps = AcceptDeps & {
  /** Looks at a chat's queue. */
  kick(address: Address): Promise<void>;
  isIdempotent(channel: string): boolean;
};

const PAGE = 50;

/** One transaction with its audit. Throws `Refusal` when somebody was quicker. */
export function replay(deps: ReplayDeps, letter: DeadView, actor: string): Promise<ReplayView> {
  return letter.kind === 'message' ? replayMessage(deps, letter, actor) : replayDelivery(deps, letter, actor);
}

/** All there are now, oldest first; what dies again meanwhile is not taken up twice. */
export async function replayAll(deps: ReplayDeps, actor: string): Promise<ReplayAllView> {
  const view: ReplayAllView = { replayed: [], left: [] };
  const last = deps.ids();
  for (let after = '', more = true; more;) {
    const letters = (await deadLetters(deps.central.read, after, PAGE)).filter((it) => it.id <= last);
    for (const letter of letters) {
      after = letter.id;
      try {
        view.replayed.push(await replay(deps, letter, actor));
      } catch (error) {
        view.left.push({ id: letter.id, error: errorText(error) });
      }
    }
    more = letters.length > 0;
  }
  return view;
}

async function replayMessage(deps: ReplayDeps, letter: DeadView, actor: string): Promise<ReplayView> {
  const item = await deps.central.commit('dead-letter', async (tx) => {
    const row = await tx
      .updateTable('dispatches')
      .set({ closed: 'replayed', closed_at: deps.now() })
      .where('id', '=', letter.id)
      .where('closed', 'is', null)
      .returning(['event_id', 'agent_id', 'session_id'])
      .executeTakeFirst();
    if (!row) throw gone(letter.id);
    await noteDecision(deps, tx, letter, actor, 'replay');
    const to = await sessionFor(deps, tx, row.session_id);
    const made = await dispatch(deps, tx, await arrivalOf(tx, row.event_id), to, 'chat', true);
    const id = made.message.id;
    await tx.updateTable('dispatches').set({ replay_of: letter.id }).where('id', '=', id).execute();
    return made;
  });
  afterwards(deps, [item]);
  return { id: letter.id, kind: 'message', replayedAs: item.message.id, mayBeDuplicate: false };
}

const afterwards = (deps: ReplayDeps, enqueue: ToEnqueue[]): void =>
  deps.after({ enqueue, heads: [], ended: [], settledEvents: [] });

async function arrivalOf(tx: Tx, eventId: string): Promise<Arrival> {
  const row = await tx.selectFrom('events').selectAll().where('id', '=', eventId).executeTakeFirstOrThrow();
  const { text, files = [] } = JSON.parse(row.content) as { text: string; files?: InboundFile[] };
  const address = { channel: row.channel, chat: row.chat, thread: row.thread };
  const incoming = { address, platformId: row.platform_id, sender: row.sender ?? '', text };
  return { incoming, role: row.role ?? 'none', eventId, at: row.received_at, status: '', files };
}

/** Its own session; after a clean start the one that goes on in its place, made if there is none yet. */
async function sessionFor(deps: ReplayDeps, tx: Tx, sessionId: string) {
  const was = await tx
    .selectFrom('sessions')
    .innerJoin('agents', 'agents.id', 'sessions.agent_id')
    .select(['agent_id', 'sessions.key', 'chat_id', 'ended_at', 'agents.name'])
    .where('sessions.id', '=', sessionId)
    .executeTakeFirstOrThrow();
  const { agent_id, key, chat_id } = was;
  const to = { chatId: chat_id, agentId: agent_id, agent: was.name, engage: 'always' as const, key };
  if (was.ended_at === null) return { ...to, sessionId };
  const live = await tx
    .selectFrom('sessions')
    .select('id')
    .where('agent_id', '=', agent_id)
    .where('key', '=', key)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  if (live) return { ...to, sessionId: live.id };
  const id = deps.ids();
  deps.makeFolder(id);
  await tx
    .insertInto('sessions')
    .values({ id, agent_id, key, chat_id, run: 0, cursor: 0, created_at: deps.now() })
    .execute();
  return { ...to, sessionId: id };
}

async function replayDelivery(deps: ReplayDeps, letter: DeadView, actor: string): Promise<ReplayView> {
  const row = await deps.central.commit('dead-letter', async (tx) => {
    const dead = await tx
      .selectFrom('deliveries')
      .select(['ordinal', 'channel', 'chat', 'tries', 'may_be_duplicate'])
      .where('id', '=', letter.id)
      .where('state', '=', 'dead')
      .where('closed', 'is', null)
      .executeTakeFirst();
    if (!dead) throw gone(letter.id);
    await noteDecision(deps, tx, letter, actor, 'replay');
    // What failed for now may have arrived all the same; what was refused outright at once has not.
    const arrived = dead.may_be_duplicate === 1 || (dead.tries > 0 && !deps.isIdempotent(dead.channel));
    await tx
      .updateTable('deliveries')
      .set((eb) => ({
        ordinal: eb.selectFrom('deliveries').select((it) => it(it.fn.max('ordinal'), '+', 1).as('next')),
        state: 'queued',
        tries: 0,
        may_be_duplicate: arrived ? 1 : 0,
        due_at: null,
        reason: null,
        settled_at: null,
      }))
      .where('ordinal', '=', dead.ordinal)
      .execute();
    return { ...dead, arrived };
  });
  await deps.kick({ channel: row.channel, chat: row.chat, thread: null });
  return { id: letter.id, kind: 'delivery', replayedAs: letter.id, mayBeDuplicate: row.arrived };
}

const gone = (id: string): Refusal =>
  new Refusal('not-found', `dead letter ${id} was taken up or dropped meanwhile`, 'See `./halfdoor dead list`.');
