/** The allow-list: folders that may be given to sessions. Only the API changes it; nothing inside a sandbox reaches that. */
import type { Kysely } from 'kysely';
import type { MountView } from '../api/contract.ts';
import { audit } from '../authority/audit.ts';
import type { Central } from '../db/central.ts';
import type { Schema } from '../db/schema.ts';
import type { Ids } from '../ids.ts';
import { Refusal } from '../refusal.ts';
import { shellWord } from '../shell-word.ts';
import type { Claim } from './folder-access.ts';
import { lookAt } from './folder-look.ts';
import { isWithin, plainPath, refusalOf, type FolderLook, type Surroundings } from './mountable.ts';

export type MountsDeps = {
  central: Central;
  ids: Ids;
  now(): string;
  /** The machine as it is now. */
  around(): Surroundings;
  /** Ends the run of a session that has a folder it may not have any more; at once. */
  revokeSession(sessionId: string): void;
};

/** The path in its plain form. Throws `Refusal`. */
export function checkPath(path: unknown): string {
  if (typeof path !== 'string') throw new Refusal('bad-input', 'path is missing', 'Send {"path": "/…"}.');
  const plain = plainPath(path);
  if ('path' in plain) return plain.path;
  throw new Refusal('bad-input', plain.fault, plain.next);
}

/** The folder at a plain path, once it is sure that it may be given. Throws `Refusal`. */
export async function checkFolder(around: Surroundings, path: string): Promise<FolderLook & { identity: string }> {
  const look = await lookAt(path);
  const fault = refusalOf(look, around);
  if (fault !== null) throw new Refusal('forbidden', fault.fault, fault.next);
  if (look.found !== 'folder') throw new Refusal('not-found', `there is no folder ${path}`, 'Mend the path.');
  return { ...look, identity: look.chain.at(-1) ?? '' };
}

/** Whether `path` is an allowed folder or lies in one. */
export async function isAllowed(db: Kysely<Schema>, path: string): Promise<boolean> {
  const rows = await db.selectFrom('mounts').select('path').execute();
  return rows.some((row) => isWithin(path, row.path));
}

export const notAllowed = (path: string): Refusal =>
  new Refusal(
    'forbidden',
    `${path} is not among the folders that agents may be given`,
    `Allow it: halfdoor mounts allow ${shellWord(path)}`,
  );

/** Folders of live sessions, but for one of them. */
export async function claimsBut(db: Kysely<Schema>, sessionId: string): Promise<Claim[]> {
  const rows = await claims(db).where('sessions.id', '!=', sessionId).execute();
  return rows.map(asClaim);
}

export async function claimOf(db: Kysely<Schema>, sessionId: string): Promise<Claim | null> {
  const row = await claims(db).where('sessions.id', '=', sessionId).executeTakeFirst();
  return row ? asClaim(row) : null;
}

const claims = (db: Kysely<Schema>) =>
  db
    .selectFrom('sessions')
    .innerJoin('agents', 'agents.id', 'sessions.agent_id')
    .select(['sessions.id', 'agents.name', 'folder', 'folder_identity', 'folder_given_at'])
    .where('sessions.ended_at', 'is', null)
    .where('folder', 'is not', null);

type ClaimRow = Awaited<ReturnType<ReturnType<typeof claims>['execute']>>[number];

const asClaim = (row: ClaimRow): Claim => ({
  sessionId: row.id,
  agent: row.name,
  path: row.folder ?? '',
  identity: row.folder_identity ?? '',
  givenAt: row.folder_given_at ?? '',
});

/** Allows a folder; one that is allowed already stays as it is. Throws `Refusal`. */
export async function allowMount(deps: MountsDeps, given: unknown, actor: string): Promise<MountView> {
  const { path, secretFiles } = await checkFolder(deps.around(), checkPath(given));
  await deps.central.commit('folder', async (tx) => {
    const { numInsertedOrUpdatedRows } = await tx
      .insertInto('mounts')
      .values({ path, allowed_at: deps.now(), allowed_by: actor })
      .onConflict((conflict) => conflict.column('path').doNothing())
      .executeTakeFirstOrThrow();
    if (numInsertedOrUpdatedRows === 0n) return;
    await audit(tx, { id: deps.ids(), at: deps.now(), actor, action: 'mounts.allow', target: path });
  });
  const view = (await listMounts(deps)).find((it) => it.path === path);
  return { ...(view ?? { path, allowedAt: deps.now(), sessions: [] }), secretFiles: [...secretFiles] };
}

/** All allowed folders, with the live sessions that work in each. */
export async function listMounts({ central }: Pick<MountsDeps, 'central'>): Promise<MountView[]> {
  const rows = await central.read.selectFrom('mounts').selectAll().orderBy('path').execute();
  const live = await claimsBut(central.read, '');
  return rows.map(({ path, allowed_at: allowedAt }) => ({
    path,
    allowedAt,
    sessions: live.filter((it) => isWithin(it.path, path)).map((it) => it.sessionId),
  }));
}

/**
 * Takes a folder off the list; it need not exist any more. Runs that have it are ended at once, in mid-turn too: what
 * was allowed by mistake should not stay open until an agent has finished with it. Throws `Refusal`.
 */
export async function removeMount(deps: MountsDeps, given: unknown, actor: string): Promise<MountView> {
  const path = checkPath(given);
  const view = (await listMounts(deps)).find((it) => it.path === path);
  if (!view) throw new Refusal('not-found', `${path} is not on the list`, 'See `halfdoor mounts list`.');
  const cutOff = await deps.central.commit('folder', async (tx) => {
    await tx.deleteFrom('mounts').where('path', '=', path).execute();
    await audit(tx, { id: deps.ids(), at: deps.now(), actor, action: 'mounts.remove', target: path });
    const left = await tx.selectFrom('mounts').select('path').execute();
    const live = await claimsBut(tx, '');
    return live.filter((it) => !left.some((row) => isWithin(it.path, row.path)));
  });
  for (const { sessionId } of cutOff) deps.revokeSession(sessionId);
  return { ...view, sessions: cutOff.map((it) => it.sessionId) };
}
