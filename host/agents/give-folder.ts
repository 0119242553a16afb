/** A folder for an agent's terminal session, from its next run on. */
import type { FolderView } from '../api/contract.ts';
import { audit } from '../authority/audit.ts';
import type { Tx } from '../db/central.ts';
import { sessionPaths, type Home } from '../home.ts';
import { openSession } from '../inbound/accept.ts';
import { route, type Routed } from '../inbound/route.ts';
import { Refusal } from '../refusal.ts';
import { folderInside, type Sandbox, type SandboxKind } from '../sandboxes/sandbox.ts';
import type { RunFolders } from '../sessions/run-folders.ts';
import { grant, type Claim } from './folder-access.ts';
import { checkFolder, checkPath, claimOf, claimsBut, isAllowed, notAllowed, type MountsDeps } from './mounts.ts';

export type FoldersDeps = MountsDeps & {
  home: Home;
  sandboxes: Readonly<Record<SandboxKind, Sandbox>>;
  folders: RunFolders;
  /** Makes and syncs the folder of a session that is about to be named. */
  makeFolder(sessionId: string): void;
  /** Ends the run of a session when what it works on is settled. */
  renewSession(sessionId: string): void;
};

type Agent = { name: string; sandbox: SandboxKind };

/** What the agent's terminal session works on; null when on no folder of a person. */
export async function viewFolder(deps: FoldersDeps, agent: Agent): Promise<FolderView | null> {
  const { sessionId } = await terminalOf(deps, agent);
  const own = sessionId === null ? null : await claimOf(deps.central.read, sessionId);
  return own === null ? null : viewOf(deps, agent, own, await claimsBut(deps.central.read, own.sessionId));
}

/**
 * Gives the folder at `path`, or with null takes back what was given. Effective when the run under way has settled its
 * messages. Throws `Refusal`: it may not be given, or another agent works above or below it.
 */
export async function giveFolder(
  deps: FoldersDeps,
  agent: Agent,
  given: unknown,
  actor: string,
): Promise<FolderView | null> {
  if (given === null) {
    const to = await terminalOf(deps, agent);
    if (to.sessionId !== null) await takeBack(deps, to.sessionId, to.agentId, actor);
    return null;
  }
  const { path, identity } = await checkFolder(deps.around(), checkPath(given));
  const { own, changed } = await deps.central.commit('folder', async (tx) => {
    if (!(await isAllowed(tx, path))) throw notAllowed(path);
    const now = await terminalOf(deps, agent, tx);
    const sessionId = now.sessionId ?? (await openSession(deps, tx, now));
    const before = await claimOf(tx, sessionId);
    const givenAt = before?.path === path ? before.givenAt : deps.now();
    const claim: Claim = { sessionId, agent: agent.name, path, identity, givenAt };
    const { clash } = grant(claim, await claimsBut(tx, sessionId), deps.folders.heldBut(sessionId));
    if (clash !== null) throw nested(path, clash);
    if (before?.path === path && before.identity === identity) return { own: before, changed: false };
    await setFolder(tx, sessionId, claim);
    const deed = { id: deps.ids(), at: deps.now(), actor, action: 'folder.give', target: path };
    await audit(tx, { ...deed, sessionId, agentId: now.agentId });
    return { own: claim, changed: true };
  });
  if (changed) deps.renewSession(own.sessionId);
  if (changed) await deps.folders.offer();
  return viewOf(deps, agent, own, await claimsBut(deps.central.read, own.sessionId));
}

async function terminalOf({ central }: FoldersDeps, { name }: Agent, tx?: Tx): Promise<Routed> {
  const [to] = await route(tx ?? central.read, { channel: 'terminal', chat: name, thread: null });
  if (to) return to;
  throw new Refusal('not-found', `no agent listens in terminal:${name}`, 'See `halfdoor agents list`.');
}

async function takeBack(deps: FoldersDeps, sessionId: string, agentId: string, actor: string): Promise<void> {
  const changed = await deps.central.commit('folder', async (tx) => {
    const before = await claimOf(tx, sessionId);
    if (before === null) return false;
    await setFolder(tx, sessionId, null);
    const deed = { id: deps.ids(), at: deps.now(), actor, action: 'folder.take', target: before.path };
    await audit(tx, { ...deed, sessionId, agentId });
    return true;
  });
  if (changed) deps.renewSession(sessionId);
  if (changed) await deps.folders.offer();
}

async function setFolder(tx: Tx, sessionId: string, claim: Claim | null): Promise<void> {
  const { path: folder = null, identity: folder_identity = null, givenAt: folder_given_at = null } = claim ?? {};
  await tx
    .updateTable('sessions')
    .set({ folder, folder_identity, folder_given_at })
    .where('id', '=', sessionId)
    .execute();
}

const nested = (path: string, clash: { agent: string; path: string }): Refusal =>
  new Refusal(
    'exists',
    `${clash.agent} works on ${clash.path}: while it does, nobody is given ${path}, as one would change what the other has`,
    `Take that back first: halfdoor chat ${clash.agent} --no-dir, or /new there.`,
  );

function viewOf(deps: FoldersDeps, agent: Agent, own: Claim, others: readonly Claim[]): FolderView {
  const { sessionId, path } = own;
  const granted = grant(own, others, deps.folders.heldBut(sessionId));
  const inside = folderInside(deps.sandboxes[agent.sandbox], sessionPaths(deps.home, sessionId).folder);
  return { path, inside, access: granted.access ?? 'read-only', sharedWith: granted.with, sessionId };
}
