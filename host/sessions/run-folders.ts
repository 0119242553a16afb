/** The folders of people that live runs have mounted. Looked at again before every run: what was given may have moved. */
import type { FolderAccess } from '@halfdoor/protocol/message';
import { grant, type Held } from '../agents/folder-access.ts';
import type { Surroundings } from '../agents/mountable.ts';
import { checkFolder, claimOf, claimsBut, isAllowed, notAllowed } from '../agents/mounts.ts';
import type { Central } from '../db/central.ts';
import { Refusal } from '../refusal.ts';

/** A folder as one run gets it. */
export type RunFolder = { path: string; identity: string; access: FolderAccess };

/** The folder of a session cannot be mounted, so that its run does not start. */
export class FolderFault extends Error {
  override name = 'FolderFault';
}

export type RunFoldersDeps = {
  central: Central;
  /** The machine as it is now. */
  around(): Surroundings;
  /** Ends the run of a session when what it works on is settled. */
  renewSession(sessionId: string): void;
};

export class RunFolders {
  readonly #deps: RunFoldersDeps;
  readonly #held = new Map<string, Held>();

  constructor(deps: RunFoldersDeps) {
    this.#deps = deps;
  }

  /** What runs of other sessions have mounted now. */
  heldBut(sessionId: string): Held[] {
    return [...this.#held.values()].filter((it) => it.sessionId !== sessionId);
  }

  /**
   * The folder for a run that is about to start, held until `release`; null when the session has none. Throws
   * `FolderFault` when what was given is not there any more as it was, or may not be given any more.
   */
  async take(sessionId: string): Promise<RunFolder | null> {
    const db = this.#deps.central.read;
    const own = await claimOf(db, sessionId);
    if (own === null) return null;
    const { path, identity } = own;
    const found = await checkFolder(this.#deps.around(), path).catch(asFault);
    if (found.identity !== identity) throw new FolderFault(`${path} is not the folder that was given`);
    if (!(await isAllowed(db, path))) return asFault(notAllowed(path));
    const others = await claimsBut(db, sessionId);
    // From here to the note that it is held nothing is awaited: two runs cannot both be the writer.
    const { access, clash } = grant(own, others, this.heldBut(sessionId));
    if (clash !== null)
      throw new FolderFault(`${clash.agent} works on ${clash.path}, and ${path} is part of that or holds it`);
    this.#held.set(sessionId, { ...own, access });
    return { path, identity, access };
  }

  release(sessionId: string): void {
    const held = this.#held.get(sessionId);
    this.#held.delete(sessionId);
    // When the host ends there may be nothing left to ask.
    if (held?.access === 'read-write') void this.offer().catch(() => undefined);
  }

  /** Somebody is done with a folder: a run that could only read there, and whose turn it is, gives way to one that writes. */
  async offer(): Promise<void> {
    for (const own of this.#held.values()) {
      if (own.access === 'read-write') continue;
      const others = await claimsBut(this.#deps.central.read, own.sessionId);
      if (grant(own, others, this.heldBut(own.sessionId)).access === 'read-write')
        this.#deps.renewSession(own.sessionId);
    }
  }
}

function asFault(error: unknown): never {
  if (!(error instanceof Refusal)) throw error;
  throw new FolderFault(`${error.message}. ${error.next}`);
}
