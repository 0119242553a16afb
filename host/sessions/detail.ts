/** One session as an operator sees it: what is open, how its last runs ended, how much room it takes. */
import type { Stats } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import type { OpenMessageView, RunView, SessionDetail } from '../api/operator-contract.ts';
import type { SessionView } from '../api/contract.ts';
import type { Schema } from '../db/schema.ts';
import { sessionPaths, type Home } from '../home.ts';

const RUNS_SHOWN = 10;
const OPEN_SHOWN = 50;
/** Past this many entries the rest of a work folder is not counted. */
const ENTRIES_COUNTED = 20_000;

export async function sessionDetail(db: Kysely<Schema>, home: Home, it: SessionView): Promise<SessionDetail> {
  return {
    ...it,
    openMessages: await openMessages(db, it.id),
    runs: await lastRuns(db, it.id),
    sizes: await sizesOf(home, it.id),
  };
}

async function openMessages(db: Kysely<Schema>, sessionId: string): Promise<OpenMessageView[]> {
  const rows = await db
    .selectFrom('dispatches')
    .innerJoin('events', 'events.id', 'dispatches.event_id')
    .select(['events.id as message', 'dispatches.id as dispatch', 'received_at', 'sender', 'tries', 'content'])
    .where('session_id', '=', sessionId)
    .where('state', '=', 'open')
    .where('wakes', '=', 1)
    .orderBy('dispatches.id')
    .limit(OPEN_SHOWN)
    .execute();
  return rows.map(({ received_at: at, content, ...row }) => ({
    ...row,
    at,
    text: (JSON.parse(content) as { text: string }).text,
  }));
}

const lastRuns = (db: Kysely<Schema>, sessionId: string): Promise<RunView[]> =>
  db
    .selectFrom('runs')
    .select(['run', 'started_at as startedAt', 'ended_at as endedAt', 'ending'])
    .where('session_id', '=', sessionId)
    .orderBy('run', 'desc')
    .limit(RUNS_SHOWN)
    .execute();

/**
 * Looks at names and sizes and opens no file. Links are not followed; an agent that swaps a folder for a link while it is
 * counted makes the figure wrong and nothing else.
 */
async function sizesOf(home: Home, id: string): Promise<SessionDetail['sizes']> {
  const paths = sessionPaths(home, id);
  const inbound = (await look(paths.inbound))?.size ?? null;
  const outbound = (await look(paths.outbound))?.size ?? null;
  if ((await look(paths.work)) === null) return { inbound, outbound, work: null, workFiles: null, whole: true };
  const counted = { bytes: 0, files: 0, entries: 0 };
  await count(paths.work, counted);
  const whole = counted.entries <= ENTRIES_COUNTED;
  return { inbound, outbound, work: counted.bytes, workFiles: counted.files, whole };
}

async function count(folder: string, counted: { bytes: number; files: number; entries: number }): Promise<void> {
  const entries = await opendir(folder).catch(() => null);
  if (entries === null) return;
  for await (const entry of entries) {
    counted.entries += 1;
    if (counted.entries > ENTRIES_COUNTED) return;
    const path = join(folder, entry.name);
    const found = await look(path);
    if (found?.isDirectory()) await count(path, counted);
    if (!found?.isFile()) continue;
    counted.files += 1;
    counted.bytes += found.size;
  }
}

const look = (path: string): Promise<Stats | null> => lstat(path).catch(() => null);
