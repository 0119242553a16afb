/** An owner opens the http channel, or a chat of it, to a program: one commit, then the channel has it at once. */
import { createHash, randomBytes } from 'node:crypto';
import { LIMITS } from '@halfdoor/protocol/limits';
import { getAgent, type AgentsDeps } from '../agents/agents.ts';
import type { HttpChatInput, HttpChatMade } from '../api/channel-contract.ts';
import { audit } from '../authority/audit.ts';
import type { Roster } from '../channels/roster.ts';
import type { Tx } from '../db/central.ts';
import { Refusal } from '../refusal.ts';
import type { Secrets } from '../secrets/secrets.ts';
import { DEFAULT_PLACE, urlOf, type WebListener } from '../web.ts';
import { HTTP, signingSecret, type HttpChats } from './chats.ts';
import { changedPlace, placeOf } from './place.ts';

export type AddDeps = Pick<AgentsDeps, 'central' | 'home' | 'ids' | 'now'> & {
  roster: Roster;
  secrets: Secrets;
  httpChats: HttpChats;
  web: WebListener;
  /** What this agent may name has changed. */
  renew(agentId: string): void;
};
type Agent = { id: string; name: string };
type Kept = { id: string; callback: string | null };

/** Throws `Refusal`. A token and a signing secret are answered once, and never again. */
export async function addHttp(deps: AddDeps, input: HttpChatInput, actor: string): Promise<HttpChatMade> {
  const { central, roster } = deps;
  const row = await central.read.selectFrom('channels').selectAll().where('name', '=', HTTP).executeTakeFirst();
  if (row && row.kind !== HTTP) throw nameTaken();
  const before = row ? placeOf(JSON.parse(row.settings)) : DEFAULT_PLACE;
  const place = changedPlace(before, input);
  const settings = JSON.stringify(place);
  const moved = row?.settings !== settings;
  const keep = async (tx: Tx): Promise<void> => (moved ? keepPlace(deps, tx, settings, actor) : undefined);
  const chat = input.chat === undefined ? null : await openChat(deps, checkChat(input.chat), input, keep, actor);
  if (chat === null) await central.commit('channel', keep);
  if (moved) await roster.add({ name: HTTP, kind: HTTP, settings });
  await deps.web.tried();
  return { url: urlOf(place), chat, fault: deps.web.status().lastError };
}

const nameTaken = (): Refusal =>
  new Refusal(
    'exists',
    'there is another channel of the name http',
    'Remove it first: ./halfdoor channels remove http',
  );

async function keepPlace(deps: AddDeps, tx: Tx, settings: string, actor: string): Promise<void> {
  const at = deps.now();
  await tx
    .insertInto('channels')
    .values({ name: HTTP, kind: HTTP, settings, created_at: at })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ settings }))
    .execute();
  await audit(tx, { id: deps.ids(), at, actor, action: 'add_channel', target: HTTP });
}

async function openChat(
  deps: AddDeps,
  name: string,
  input: HttpChatInput,
  keep: (tx: Tx) => Promise<void>,
  actor: string,
): Promise<HttpChatMade['chat']> {
  const kept = await keptChat(deps, name);
  const callback = input.callback === undefined ? (kept?.callback ?? null) : checkCallback(input.callback);
  if (kept && input.rotate !== true) throw isThere(name);
  if (!kept && input.rotate === true) throw notThere(name);
  if (!kept && typeof input.agent !== 'string') throw agentMissing(name);
  const agent = kept ? null : await getAgent(deps, String(input.agent));
  const signing = callback === null ? null : await keepSigning(deps, name, actor);
  const token = `hd_${randomBytes(32).toString('base64url')}`;
  const tokenHash = createHash('sha256').update(token).digest();
  const destination = await deps.central.commit('channel', async (tx) => {
    await keep(tx);
    const at = deps.now();
    const action = kept ? 'rotate_token' : 'add_chat';
    await audit(tx, {
      id: deps.ids(),
      at,
      actor,
      action,
      target: `${HTTP}:${name}`,
      ...(agent && { agentId: agent.id }),
    });
    const chat = { token_hash: tokenHash, callback };
    if (kept) {
      await tx.updateTable('http_chats').set(chat).where('chat_id', '=', kept.id).execute();
      return null;
    }
    return agent && makeChat(deps, tx, name, agent, chat);
  });
  deps.httpChats.changed(name, { tokenHash, callback });
  if (agent) deps.renew(agent.id);
  return { name, token, signing, callback, agent: agent?.name ?? null, destination };
}

/** Made before the row that counts on it; one whose row is not committed is made anew with the next. */
async function keepSigning({ secrets }: AddDeps, chat: string, actor: string): Promise<string> {
  const value = `whsec_${randomBytes(32).toString('base64')}`;
  await secrets.set(signingSecret(chat), value, actor);
  return value;
}

function keptChat({ central }: AddDeps, name: string): Promise<Kept | undefined> {
  return central.read
    .selectFrom('http_chats')
    .innerJoin('chats', 'chats.id', 'http_chats.chat_id')
    .select(['chats.id', 'callback'])
    .where('channel', '=', HTTP)
    .where('platform_id', '=', name)
    .executeTakeFirst();
}

/** Chat, wiring, destination and token. Returns the agent's name for it. */
async function makeChat(
  deps: AddDeps,
  tx: Tx,
  name: string,
  agent: Agent,
  token: { token_hash: Uint8Array; callback: string | null },
): Promise<string> {
  const created_at = deps.now();
  const chat_id = deps.ids();
  await tx.insertInto('chats').values({ id: chat_id, channel: HTTP, platform_id: name, created_at }).execute();
  await tx
    .insertInto('wirings')
    .values({ chat_id, agent_id: agent.id, engage: 'always', session_mode: 'chat', created_at })
    .execute();
  await tx
    .insertInto('http_chats')
    .values({ chat_id, ...token, created_at })
    .execute();
  const local_name = await freeName(tx, agent.id, name);
  await tx
    .insertInto('agent_destinations')
    .values({ agent_id: agent.id, local_name, target_type: 'chat', target_id: chat_id })
    .execute();
  return local_name;
}

/** The name itself, or with the first number that is free. */
async function freeName(tx: Tx, agentId: string, name: string): Promise<string> {
  const rows = await tx.selectFrom('agent_destinations').select('local_name').where('agent_id', '=', agentId).execute();
  const taken = new Set(rows.map((it) => it.local_name));
  for (let n = 1; ; n++) {
    const free = n === 1 ? name : `${name}-${n}`;
    if (!taken.has(free)) return free;
  }
}

function checkChat(name: unknown): string {
  if (typeof name === 'string' && /^[a-z][a-z0-9-]*$/.test(name) && name.length <= LIMITS.nameChars) return name;
  const what = `a chat's name is 1 to ${LIMITS.nameChars} small letters, digits and dashes, beginning with a letter`;
  throw new Refusal('bad-input', what, 'Choose a name like "ops".');
}

function checkCallback(callback: unknown): string | null {
  if (callback === null) return null;
  const url = typeof callback === 'string' && URL.canParse(callback) ? new URL(callback) : null;
  if (url && ['http:', 'https:'].includes(url.protocol) && !url.username && !url.password && url.href.length <= 2000) {
    return url.href;
  }
  throw new Refusal(
    'bad-input',
    'the callback is not a plain http or https address',
    'Give one like https://example.org/replies.',
  );
}

const isThere = (chat: string): Refusal =>
  new Refusal(
    'exists',
    `there is a chat ${chat} already`,
    `A new token for it: ./halfdoor channels add http --chat ${chat} --rotate`,
  );

const notThere = (chat: string): Refusal =>
  new Refusal('not-found', `there is no chat ${chat} yet`, 'Leave --rotate out, and name its agent.');

const agentMissing = (chat: string): Refusal =>
  new Refusal(
    'bad-input',
    `nobody is named to listen in ${chat}`,
    `Name the agent: ./halfdoor channels add http --chat ${chat} --agent NAME`,
  );
