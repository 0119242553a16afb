/** What the end of a run leaves in central: its end, tries counted, and what is given up with a word to the person. */
import type { Address } from '@halfdoor/protocol/message';
import type { Tx } from '../db/central.ts';
import { errorText } from '../log.ts';
import { takeHeads, type Delivery } from '../outbound/ledger.ts';
import { settleOne, tellPeople, type CollectDeps, type CollectedFrom, type Settled } from '../outbound/settle.ts';
import { SandboxAway, SandboxError } from '../sandboxes/sandbox.ts';
import { isGivenUp } from './decide.ts';
import { FolderFault } from './run-folders.ts';

export type Ending = {
  /** How it ended, for the record: `stopped`, `exit 0`, `signal SIGKILL`, `not started: …`. */
  ending: string;
  /** Messages this counts against; empty when the host ended the run itself. */
  victims: string[];
  /** Why those that are given up got no answer: a reason `failureOf` understands. */
  reason: string;
  /** Given up now, however often they were tried. */
  hopeless: boolean;
  /** Nothing is at fault but what holds agents: it is tried again, later and later, and counts against nobody. */
  away?: boolean;
};

/**
 * What a run that did not start means for the messages that wait for it. A folder that is not there as it was given does
 * not come back by trying again.
 */
export function notStarted(error: unknown, open: ReadonlySet<string>): Ending {
  const why = error instanceof SandboxError ? `${error.message}. ${error.next.replace(/\.$/, '')}` : errorText(error);
  const hopeless = error instanceof FolderFault;
  const away = error instanceof SandboxAway;
  const victims = away ? [] : [...open];
  return { ending: why, victims, reason: `${hopeless ? 'folder' : 'sandbox'}: ${why}`, hopeless, away };
}

/** One commit; decided only with no run alive and after the last collect. */
export function endRun(
  deps: CollectDeps,
  from: CollectedFrom,
  end: Ending,
): Promise<{ settled: Settled[]; heads: Delivery[] }> {
  return deps.central.commit('settle-dead', async (tx) => {
    // Every earlier run of this session is over too: two are never alive at once.
    const runs = await tx
      .updateTable('runs')
      .set({ ended_at: deps.now(), ending: deps.redact(end.ending) })
      .where('session_id', '=', from.sessionId)
      .where('ended_at', 'is', null)
      .returning('run')
      .execute();
    const run = runs.length === 0 ? null : Math.max(...runs.map((it) => it.run));
    const dead = await countTries(deps, tx, from, end, run);
    const notified: Address[] = await tellPeople(deps, tx, from, dead);
    return { settled: dead, heads: await takeHeads(deps, tx, notified) };
  });
}

async function countTries(deps: CollectDeps, tx: Tx, from: CollectedFrom, end: Ending, run: number | null) {
  const dead: NonNullable<Awaited<ReturnType<typeof settleOne>>>[] = [];
  for (const id of end.victims) {
    const row = await tx
      .updateTable('dispatches')
      .set((eb) => ({ tries: eb('tries', '+', 1) }))
      .where('id', '=', id)
      .where('session_id', '=', from.sessionId)
      .where('state', '=', 'open')
      .returning('tries')
      .executeTakeFirst();
    if (!row) continue;
    const { tries: n } = row;
    const ending = deps.redact(end.ending);
    await tx.insertInto('tries').values({ dispatch_id: id, n, run, ending, at: deps.now() }).execute();
    if (!end.hopeless && !isGivenUp(n)) continue;
    const settled = await settleOne(deps, tx, from.sessionId, id, 'dead', end.reason);
    if (settled) dead.push(settled);
  }
  return dead;
}
