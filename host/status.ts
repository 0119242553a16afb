/** How the host stands, for `./halfdoor status` and `/status`. */
import type { Kysely } from 'kysely';
import type { StatusView } from './api/contract.ts';
import type { Roster } from './channels/roster.ts';
import { channelViews } from './channels/views.ts';
import type { Central } from './db/central.ts';
import type { Schema } from './db/schema.ts';
import { countDead } from './dead/letters.ts';
import { clockTime } from './outbound/parked-text.ts';
import type { OutboundReader } from './outbound/reader.ts';
import { SANDBOX_KINDS, type Probe, type SandboxKind } from './sandboxes/sandbox.ts';
import type { Sessions } from './sessions/sessions.ts';
import { VERSION } from './version.ts';

export type StatusDeps = {
  central: Central;
  sessions: Sessions;
  reader: OutboundReader;
  roster: Roster;
  probes(kind: SandboxKind): Promise<Probe>;
};

export async function statusView(
  deps: StatusDeps,
  fixed: { home: string; pid: number; startedAt: string },
): Promise<StatusView> {
  const db = deps.central.read;
  const count = async (table: 'agents' | 'sessions'): Promise<number> => {
    const row = await db
      .selectFrom(table)
      .select((eb) => eb.fn.countAll<number>().as('n'))
      .executeTakeFirstOrThrow();
    return row.n;
  };
  const open = await db
    .selectFrom('dispatches')
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .where('state', '=', 'open')
    .where('wakes', '=', 1)
    .executeTakeFirstOrThrow();
  const waiting = await db
    .selectFrom('deliveries')
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .where('state', 'in', ['queued', 'sending'])
    .executeTakeFirstOrThrow();
  const sandboxes = await Promise.all(
    SANDBOX_KINDS.map(async (kind) => {
      const probe = await deps.probes(kind);
      return probe.ok ? { kind, ok: true } : { kind, ...probe };
    }),
  );
  return {
    version: VERSION,
    ...fixed,
    sandboxes,
    reader: { walled: deps.reader.walled },
    channels: await channelViews(deps.central, deps.roster),
    agents: (await count('agents')) - (await deletedAgents(db)),
    sessions: { total: await count('sessions'), ...deps.sessions.counts() },
    open: { messages: open.n, deliveries: waiting.n, dead: await countDead(db) },
  };
}

async function deletedAgents(db: Kysely<Schema>): Promise<number> {
  const { n } = await db
    .selectFrom('agents')
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .where('deleted_at', 'is not', null)
    .executeTakeFirstOrThrow();
  return n;
}

async function waitsForQuota(db: Kysely<Schema>, agentId: string, now: string): Promise<string> {
  const { until } = await db
    .selectFrom('dispatches')
    .select((eb) => eb.fn.max('due_at').as('until'))
    .where('agent_id', '=', agentId)
    .where('state', '=', 'open')
    .where('due_at', 'is not', null)
    .executeTakeFirstOrThrow();
  return until === null ? '' : `, waits for the model's quota until ${clockTime(new Date(until), new Date(now))}`;
}

/** One line for `/status`: who, with what, and what it is doing. */
export async function describeAgent(
  db: Kysely<Schema>,
  sessions: Sessions,
  agentId: string,
  now: string,
): Promise<string> {
  const agent = await db
    .selectFrom('agents')
    .select(['name', 'provider', 'model', 'sandbox'])
    .where('id', '=', agentId)
    .executeTakeFirstOrThrow();
  const live = await db
    .selectFrom('sessions')
    .select('id')
    .where('agent_id', '=', agentId)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  const { state, place } = live ? sessions.state(live.id) : { state: 'asleep', place: null };
  const open = await db
    .selectFrom('dispatches')
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .where('agent_id', '=', agentId)
    .where('state', '=', 'open')
    .where('wakes', '=', 1)
    .executeTakeFirstOrThrow();
  const thinks = agent.model ? `${agent.provider}, ${agent.model}` : agent.provider;
  const parked = await waitsForQuota(db, agentId, now);
  const waits =
    place === null ? parked : `, number ${place} of ${sessions.counts().waiting} in the queue for a sandbox`;
  return `${agent.name} (${thinks}, ${agent.sandbox}): ${state}${waits}; ${open.n} message${open.n === 1 ? '' : 's'} open.`;
}
