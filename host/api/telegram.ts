/** The routes of Telegram channels: adding one, and who may speak through it. */
import type { Hono } from 'hono';
import { addTelegram, pairTelegram, type AddTelegramDeps } from '../channels/add-telegram.ts';
import { Refusal } from '../refusal.ts';
import type { Signals } from '../signals.ts';
import type { PairedView, TelegramInput } from './channel-contract.ts';
import { body, senderOf, type Env } from './request.ts';
import { until } from './until.ts';

export type TelegramRoutesDeps = AddTelegramDeps & { signals: Signals; uid: number };

const MAX_WAIT_MS = 60_000;

export function addTelegramRoutes(app: Hono<Env>, deps: TelegramRoutesDeps): void {
  const { uid } = deps;
  app.post('/v1/channels/telegram', async (c) =>
    c.json(await addTelegram(deps, await body<TelegramInput>(c), senderOf(c, uid)), 201),
  );
  app.post('/v1/channels/:name/pairings', async (c) => {
    const { agent } = await body<{ agent?: unknown }>(c);
    if (typeof agent !== 'string') throw new Refusal('bad-input', 'no agent is named', 'Say who: --agent NAME.');
    return c.json(await pairTelegram(deps, c.req.param('name'), agent, senderOf(c, uid)), 201);
  });
  app.get('/v1/channels/:name/pairings/:id', async (c) =>
    c.json(await pairedView(deps, c.req.param('name'), c.req.param('id'), c.req.query('wait'))),
  );
}

/** Answers once it is used or void, or after `wait` milliseconds with how it stands. */
async function pairedView(
  deps: TelegramRoutesDeps,
  channel: string,
  id: string,
  wait: string | undefined,
): Promise<PairedView> {
  const waitMs = Math.min(Math.max(Number(wait ?? 0) || 0, 0), MAX_WAIT_MS);
  let view = await look(deps, channel, id);
  const isOver = async (): Promise<boolean> => (view = await look(deps, channel, id)).state !== 'open';
  await until(deps, ['settled'], isOver, waitMs);
  return view;
}

/** One that another has replaced is gone. */
async function look(deps: TelegramRoutesDeps, channel: string, id: string): Promise<PairedView> {
  const row = await deps.central.read
    .selectFrom('pairings')
    .leftJoin('users', 'users.id', 'pairings.used_by')
    .select(['expires_at', 'used_at', 'used_by', 'users.name as name'])
    .where('hash', '=', id)
    .where('channel', '=', channel)
    .executeTakeFirst();
  if (!row) throw new Refusal('not-found', 'this code is void', `Make a new one: ./halfdoor channels pair ${channel}`);
  if (row.used_at !== null) return { state: 'used', by: row.used_by, name: row.name };
  return { state: row.expires_at > deps.now() ? 'open' : 'expired', by: null, name: null };
}
