/** How a person of a platform becomes an owner: by a code that an owner was shown, once, before it expires. */
import { timingSafeEqual } from 'node:crypto';
import type { Incoming } from '../channels/channel-host.ts';
import type { Tx } from '../db/central.ts';
import { firstIdAt, type Ids } from '../ids.ts';
import { insertNotice } from '../outbound/notice.ts';
import { audit } from './audit.ts';
import { hashOf, makeCode } from './pairing-code.ts';

const EXPIRES_MS = 15 * 60_000;
const WRONG_TRIES = 10;
const WRONG_WITHIN_MS = 60 * 60_000;

export type NewPairing = { hash: string; code: string; expiresAt: string };

/** A code for one channel and one agent; one made before and not used is void from here on. */
export async function makePairing(
  tx: Tx,
  { channel, agentId }: { channel: string; agentId: string },
  at: string,
  random: (bytes: number) => Buffer,
): Promise<NewPairing> {
  const code = makeCode(random);
  const hash = hashOf(code);
  const expiresAt = new Date(Date.parse(at) + EXPIRES_MS).toISOString();
  await tx.deleteFrom('pairings').where('channel', '=', channel).where('used_at', 'is', null).execute();
  const row = { hash, channel, agent_id: agentId, created_at: at, expires_at: expiresAt };
  await tx.insertInto('pairings').values(row).execute();
  return { hash, code, expiresAt };
}

type PairDeps = { ids: Ids; now(): string };
/** `counted`: the sender is nobody yet, so that a wrong code counts against them. */
type Try = { incoming: Incoming; code: string; eventId: string; counted: boolean };

/**
 * The person, their chat, its wiring and the agent's way to it, the used code, its event and the reply, or none of it.
 * Returns the agent; null when the code is not good, and when its sender has guessed too often to be listened to.
 */
export async function pair(deps: PairDeps, tx: Tx, it: Try): Promise<string | null> {
  const { incoming, eventId } = it;
  const at = deps.now();
  if (it.counted && (await hasGuessed(tx, incoming.sender, at))) return null;
  const hash = Buffer.from(hashOf(it.code));
  const open = await tx
    .selectFrom('pairings')
    .innerJoin('agents', 'agents.id', 'pairings.agent_id')
    .select(['pairings.hash', 'agents.id as agentId', 'agents.name as agent'])
    .where('channel', '=', incoming.address.channel)
    .where('used_at', 'is', null)
    .where('expires_at', '>', at)
    .where('agents.deleted_at', 'is', null)
    .execute();
  const found = open.find((row) => timingSafeEqual(Buffer.from(row.hash), hash));
  if (!found) {
    if (it.counted) await noteGuess(tx, deps, incoming, at);
    return null;
  }
  const used = { used_at: at, used_by: incoming.sender };
  await tx.updateTable('pairings').set(used).where('hash', '=', found.hash).execute();
  await makeOwner(tx, incoming, at);
  await connect(deps, tx, incoming, found.agentId, at);
  await insertEvent(tx, incoming, eventId, at);
  const deed = { action: 'pair', target: incoming.sender, actor: 'pairing code', agentId: found.agentId };
  await audit(tx, { id: deps.ids(), at, ...deed });
  const text = `You are paired as an owner. Here you talk to ${found.agent}: write to me. /help shows what else I take.`;
  const said = { key: `paired:${found.hash}`, agentId: found.agentId, sessionId: null, text };
  await insertNotice(tx, { ...said, address: incoming.address, eventIds: [eventId] }, deps.ids, at);
  return found.agentId;
}

async function hasGuessed(tx: Tx, sender: string, at: string): Promise<boolean> {
  const { n } = await tx
    .selectFrom('audit')
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .where('id', '>', firstIdAt(Date.parse(at) - WRONG_WITHIN_MS))
    .where('actor', '=', sender)
    .where('action', '=', 'pair')
    .where('verdict', '=', 'deny')
    .executeTakeFirstOrThrow();
  return n >= WRONG_TRIES;
}

async function noteGuess(tx: Tx, { ids }: PairDeps, { sender, address }: Incoming, at: string): Promise<void> {
  const denied = { verdict: 'deny' as const, reason: 'a wrong code', session_id: null, agent_id: null };
  await tx
    .insertInto('audit')
    .values({ id: ids(), at, actor: sender, action: 'pair', target: address.channel, ...denied })
    .execute();
}

async function makeOwner(tx: Tx, { sender, senderName }: Incoming, at: string): Promise<void> {
  const user = { name: senderName ?? null, role: 'owner' as const };
  await tx
    .insertInto('users')
    .values({ id: sender, ...user, created_at: at })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(user))
    .execute();
}

/** From here on this chat is this agent's; what another one was told there it does not hear. */
async function connect(deps: PairDeps, tx: Tx, incoming: Incoming, agentId: string, at: string): Promise<void> {
  const { channel, chat } = incoming.address;
  const title = incoming.senderName ?? null;
  const { id } = await tx
    .insertInto('chats')
    .values({ id: deps.ids(), channel, platform_id: chat, kind: 'dm', title, created_at: at })
    .onConflict((conflict) => conflict.columns(['channel', 'platform_id']).doUpdateSet({ title }))
    .returning('id')
    .executeTakeFirstOrThrow();
  await tx.deleteFrom('wirings').where('chat_id', '=', id).execute();
  const wiring = { chat_id: id, agent_id: agentId, engage: 'always' as const, session_mode: 'chat' as const };
  await tx
    .insertInto('wirings')
    .values({ ...wiring, created_at: at })
    .execute();
  const ways = await tx
    .selectFrom('agent_destinations')
    .select(['local_name', 'target_id'])
    .where('agent_id', '=', agentId)
    .execute();
  if (ways.some((it) => it.target_id === id)) return;
  const taken = ways.map((it) => it.local_name);
  const local_name = destinationName(channel, incoming.senderName ?? '', taken);
  await tx
    .insertInto('agent_destinations')
    .values({ agent_id: agentId, local_name, target_type: 'chat', target_id: id })
    .execute();
}

/** The channel's own name, else the person's, else one with a number. */
export function destinationName(channel: string, person: string, taken: readonly string[]): string {
  const safe = person
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^[^a-z]+|-+$/g, '')
    .slice(0, 30);
  const first = [channel, safe].find((it) => it !== '' && !taken.includes(it));
  for (let n = 2; ; n++) {
    const name = first ?? `${channel}-${n}`;
    if (!taken.includes(name)) return name;
  }
}

async function insertEvent(tx: Tx, { address, platformId, sender }: Incoming, id: string, at: string): Promise<void> {
  const said = { kind: 'message' as const, version: 0, role: 'owner' as const };
  await tx
    .insertInto('events')
    .values({
      ...{ id, ...address, platform_id: platformId, sender, ...said },
      ...{ content: JSON.stringify({ text: '(a pairing code)' }), received_at: at },
    })
    .execute();
}
