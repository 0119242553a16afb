/**
 * The one way in: normalise, identify, route, dedupe, admit → one event and its frozen dispatches, in one transaction.
 * Only after its commit may the channel acknowledge upstream. Where it goes is decided here, once; never again.
 */
import type { Insertable } from 'kysely';
import type { Address } from '@halfdoor/protocol/message';
import type { Incoming } from '../channels/channel-host.ts';
import type { Tx } from '../db/central.ts';
import { compiled } from '../db/compiled.ts';
import type { Schema } from '../db/schema.ts';
import { keeping, type InboxDeps } from '../files/inbox.ts';
import { takeHeads } from '../outbound/ledger.ts';
import { Refusal } from '../refusal.ts';
import { admit } from './admit.ts';
import { answer, type AnswerDeps } from './answer.ts';
import { parseCommand } from './command.ts';
import { contentOf, dispatch, type Aftermath, type Arrival } from './dispatch.ts';
import { identify } from './identify.ts';
import { normalise } from './normalise.ts';
import { obey } from './obey.ts';
import { noteRepeat } from './repeat.ts';
import { route, type Routed } from './route.ts';

export type Accepted = { eventId: string; repeated: boolean };

export type AcceptDeps = AnswerDeps &
  InboxDeps & {
    /** Makes and syncs the folder of a session that is about to be named. */
    makeFolder(sessionId: string): void;
    /** One line for `/status`, per agent. */
    describe(agentId: string): Promise<string>;
  };

/** Accepts one thing from outside. Resolves once it is durable; throws `Refusal` when it is not taken. */
export async function accept(deps: AcceptDeps, raw: Incoming): Promise<Accepted> {
  const incoming = normalise(raw);
  const role = await identify(deps.central.read, incoming);
  const answered = await answer(deps, incoming, role);
  if (answered) return answered;
  const status = parseCommand(incoming.text) === '/status' ? await statusOf(deps, incoming.address) : '';
  const arrival: Arrival = { incoming, role, eventId: deps.ids(), at: deps.now(), status, files: [] };
  // A command has no use for files.
  const brought = parseCommand(incoming.text) === null ? (incoming.files ?? []) : [];
  const { accepted, aftermath } = await keeping(deps, arrival.eventId, brought, (files) =>
    deps.central.commit('accept', (tx) => take(deps, tx, { ...arrival, files })),
  );
  deps.after(aftermath);
  return accepted;
}

function unknownChat(address: Address): Refusal {
  return new Refusal(
    'not-found',
    `no agent listens in ${address.channel}:${address.chat}`,
    'See `./halfdoor agents list`.',
  );
}

async function statusOf(deps: AcceptDeps, address: Address): Promise<string> {
  const routed = await route(deps.central.read, address);
  const lines = await Promise.all(routed.map((it) => deps.describe(it.agentId)));
  return lines.join('\n');
}

async function take(deps: AcceptDeps, tx: Tx, arrival: Arrival): Promise<{ accepted: Accepted; aftermath: Aftermath }> {
  const aftermath: Aftermath = { enqueue: [], heads: [], ended: [], settledEvents: [] };
  const command = parseCommand(arrival.incoming.text);
  const routed = await route(tx, arrival.incoming.address);
  if (routed.length === 0) throw unknownChat(arrival.incoming.address);
  const existing = await insertEvent(tx, arrival, command === null ? 'message' : 'command');
  if (existing !== null) return { accepted: { eventId: existing, repeated: true }, aftermath };
  for (const to of routed) {
    const admission = admit(to.engage, arrival.role);
    if (!admission.admit) continue;
    const sessionId = to.sessionId ?? (await openSession(deps, tx, to));
    if (command !== null) await obey(deps, tx, arrival, command, { ...to, sessionId }, aftermath);
    else aftermath.enqueue.push(await dispatch(deps, tx, arrival, { ...to, sessionId }, 'chat', admission.wakes));
  }
  if (command !== null) aftermath.heads = await takeHeads(deps, tx, [arrival.incoming.address]);
  return { accepted: { eventId: arrival.eventId, repeated: false }, aftermath };
}

type NewEvent = Omit<Insertable<Schema['events']>, 'version'>;
const INSERT_EVENT = compiled((db, it: NewEvent) =>
  db
    .insertInto('events')
    .values({
      id: it.id,
      channel: it.channel,
      chat: it.chat,
      platform_id: it.platform_id,
      kind: it.kind,
      version: 0,
      thread: it.thread,
      sender: it.sender,
      role: it.role,
      content: it.content,
      received_at: it.received_at,
    })
    .onConflict((conflict) => conflict.columns(['channel', 'chat', 'platform_id', 'kind', 'version']).doNothing()),
);

/** Returns the id of the same event if it came before, else null. */
async function insertEvent(tx: Tx, arrival: Arrival, kind: 'message' | 'command'): Promise<string | null> {
  const { address, platformId, sender } = arrival.incoming;
  const inserted = await INSERT_EVENT.run(tx, {
    id: arrival.eventId,
    ...address,
    platform_id: platformId,
    kind,
    sender,
    role: arrival.role,
    content: contentOf(arrival),
    received_at: arrival.at,
  });
  if (inserted !== 0) return null;
  const before = await tx
    .selectFrom('events')
    .select('id')
    .where('channel', '=', address.channel)
    .where('chat', '=', address.chat)
    .where('platform_id', '=', platformId)
    .where('kind', '=', kind)
    .where('version', '=', 0)
    .executeTakeFirstOrThrow();
  await noteRepeat(tx, before.id, arrival.at);
  return before.id;
}

/** The folder is on the disk before the row that names it; one whose row is not committed is swept at the next start. */
export async function openSession(
  deps: Pick<AcceptDeps, 'ids' | 'now' | 'makeFolder'>,
  tx: Tx,
  to: Routed,
): Promise<string> {
  const id = deps.ids();
  deps.makeFolder(id);
  const { agentId: agent_id, key, chatId: chat_id } = to;
  await tx
    .insertInto('sessions')
    .values({ id, agent_id, key, chat_id, run: 0, cursor: 0, created_at: deps.now() })
    .execute();
  return id;
}
