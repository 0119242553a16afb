/** What no row names any more goes: at the start what a kill left half made, once a day what is past its age. */
import { readdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Central } from '../db/central.ts';
import type { Home } from '../home.ts';
import type { Disk } from './disk.ts';
import type { Outbox } from './outbox.ts';

export type SweepDeps = {
  home: Home;
  central: Central;
  disk: Disk;
  outbox: Outbox;
  isOpenedInPlace(channel: string): boolean;
};

const PAGE = 200;

/** Before anything is accepted or collected: what is being made then is nobody's left-over. */
export async function sweepHalfMade(deps: SweepDeps): Promise<void> {
  await sweepInbox(deps, '\uffff');
  const { central, home, disk } = deps;
  const kept = await central.read.selectFrom('outbox').select('delivery_id').execute();
  const known = new Set(kept.map((row) => row.delivery_id));
  for (const id of namesIn(home.outbox)) if (!known.has(id)) await disk.remove(join(home.outbox, id));
}

/** Beside everything else; `before` is above every id whose row must be there by now. */
export async function sweepOver(deps: SweepDeps, before: string): Promise<void> {
  await sweepInbox(deps, before);
  await deps.outbox.remove(await overInOutbox(deps));
  await sweepSessions(deps, before);
}

async function sweepInbox({ central, home, disk }: SweepDeps, before: string): Promise<void> {
  const ids = namesIn(home.inbox).filter((id) => id < before);
  for (let at = 0; at < ids.length; at += PAGE) {
    const page = ids.slice(at, at + PAGE);
    const rows = await central.read.selectFrom('events').select('id').where('id', 'in', page).execute();
    const known = new Set(rows.map((row) => row.id));
    for (const id of page) if (!known.has(id)) await disk.remove(join(home.inbox, id));
  }
}

/** Copies whose message arrived, was dropped or forgotten, or whose agent is no more. */
async function overInOutbox({ central, isOpenedInPlace }: SweepDeps): Promise<string[]> {
  const rows = await central.read
    .selectFrom('outbox')
    .innerJoin('agents', 'agents.id', 'outbox.agent_id')
    .leftJoin('deliveries', 'deliveries.id', 'outbox.delivery_id')
    .select(['delivery_id', 'state', 'closed', 'channel', 'deleted_at'])
    .execute();
  return rows.filter((it) => isOver(it, isOpenedInPlace)).map((it) => it.delivery_id);
}

export type Kept = { state: string | null; closed: string | null; channel: string | null; deleted_at: string | null };

/** Decides purely. */
export function isOver(
  { state, closed, channel, deleted_at }: Kept,
  isOpenedInPlace: SweepDeps['isOpenedInPlace'],
): boolean {
  switch (state) {
    case 'delivered':
      return channel === null || !isOpenedInPlace(channel);
    case 'dead':
      return closed !== null || deleted_at !== null;
    default:
      return state === null;
  }
}

/** Second names in sessions of what is no longer in the inbox. Of thousands of sessions none holds up the others. */
async function sweepSessions({ home, disk }: SweepDeps, before: string): Promise<void> {
  const known = new Set(namesIn(home.inbox));
  for (const session of namesIn(home.sessions)) {
    const files = join(home.sessions, session, 'in', 'files');
    const names = await readdir(files).catch(noneIfMissing);
    for (const id of names) if (id < before && !known.has(id)) await disk.remove(join(files, id));
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    return noneIfMissing(error);
  }
}

function noneIfMissing(error: unknown): string[] {
  if ((error as { code?: string }).code === 'ENOENT') return [];
  throw error;
}
