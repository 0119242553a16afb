/** The central database as somebody sees it who only looks: read-only, whatever state it is in, beside a live host or not. */
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { MIGRATIONS } from './central.ts';
import { isDamage } from './fault.ts';
import { unknownMigrations } from './newer.ts';

export type OpenSession = { id: string; agent: string };
export type Endpoint = { api: 'anthropic' | 'openai'; baseUrl: string | null };
export type CentralLook =
  | { state: 'missing' }
  | { state: 'damaged' | 'unreadable'; why: string }
  | { state: 'newer'; migrations: readonly string[]; known: string }
  | { state: 'older' }
  | {
      state: 'sound';
      /** ISO-8601: the newest moment that any row tells of. */
      newest: string | null;
      /** Messages without an end, and deliveries do not count: those may wait for a terminal. */
      open: number;
      sessions: OpenSession[];
      endpoints: Endpoint[];
      sandboxes: string[];
    };

const COMPLAINTS = 3;
/** Another process may be checkpointing. */
const BUSY_MS = 2_000;

const NEWEST = [
  'select max(received_at) as at from events',
  'select max(started_at) as at from runs',
  'select max(ended_at) as at from runs',
  'select max(created_at) as at from sessions',
  'select max(created_at) as at from deliveries',
  'select max(created_at) as at from agents',
].join(' union all ');

/** Never throws for what the file holds. */
export function inspectCentral(path: string): CentralLook {
  if (!existsSync(path)) return { state: 'missing' };
  let db: DatabaseSync | null = null;
  try {
    db = new DatabaseSync(path, { readOnly: true, timeout: BUSY_MS });
    return look(db);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { state: isDamage(error) ? 'damaged' : 'unreadable', why };
  } finally {
    db?.close();
  }
}

function look(db: DatabaseSync): CentralLook {
  const all = <T>(sql: string): T[] => db.prepare(sql).all() as T[];
  const complaints = all<{ quick_check: string }>(`pragma quick_check(${COMPLAINTS})`).map((it) => it.quick_check);
  if (complaints.join() !== 'ok') return { state: 'damaged', why: complaints.join('; ') };
  const orphans = all<{ table: string; parent: string }>('pragma foreign_key_check');
  const [orphan] = orphans;
  if (orphan) {
    return { state: 'damaged', why: `${orphans.length} rows name none that exists, first in ${orphan.table}` };
  }
  const known = Object.keys(MIGRATIONS);
  const unknown = unknownMigrations(db, known);
  if (unknown.length > 0) return { state: 'newer', migrations: unknown, known: known.at(-1) ?? '' };
  const tables = all<{ name: string }>("select name from sqlite_schema where type = 'table'").map(({ name }) => name);
  if (!['agents', 'sessions', 'events', 'dispatches', 'deliveries', 'runs'].every((it) => tables.includes(it)))
    return { state: 'older' };
  return {
    state: 'sound',
    newest: all<{ at: string | null }>(`select max(at) as at from (${NEWEST})`)[0]?.at ?? null,
    open: all<{ n: number }>("select count(*) as n from dispatches where state = 'open' and wakes = 1")[0]?.n ?? 0,
    sessions: all<OpenSession>(
      'select s.id, a.name as agent from sessions s join agents a on a.id = s.agent_id where s.ended_at is null',
    ),
    endpoints: all<Endpoint>('select distinct api, base_url as baseUrl from agents where api is not null'),
    sandboxes: all<{ sandbox: string }>('select distinct sandbox from agents').map(({ sandbox }) => sandbox),
  };
}
