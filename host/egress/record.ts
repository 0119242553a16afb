/**
 * What agents asked for outside, kept a batch at a time: whoever asks waits for none of it, and a flood of the same
 * request is one row that counts. What a host that dies has not yet kept, at most the last second, is lost.
 */
import { LIMITS } from '@halfdoor/protocol/limits';
import type { Clock } from '../clock.ts';
import type { Central, Tx } from '../db/central.ts';
import { errorText, type Log } from '../log.ts';
import type { Noted } from './way-out.ts';

export type RecordDeps = { central: Central; clock: Clock; log: Log };

type Row = Noted & { times: number };

const EVERY_MS = 1_000;
/** More different ones of a session in a batch are counted in the log of the host and not kept. */
const BATCH_ROWS = 100;

export class EgressRecord {
  readonly #deps: RecordDeps;
  #rows = new Map<string, Row>();
  #bySession = new Map<string, number>();
  #dropped = 0;
  #waiting = false;
  #keeping: Promise<void> = Promise.resolve();

  constructor(deps: RecordDeps) {
    this.#deps = deps;
  }

  note(it: Noted): void {
    const key = [it.sessionId, it.kind, it.host, it.port, it.verdict, it.reason].join(' ');
    const before = this.#rows.get(key);
    const different = this.#bySession.get(it.sessionId) ?? 0;
    if (before) this.#rows.set(key, together(before, it));
    else if (different < BATCH_ROWS) {
      this.#bySession.set(it.sessionId, different + 1);
      this.#rows.set(key, { ...it, times: 1 });
    } else this.#dropped += 1;
    if (this.#waiting) return;
    this.#waiting = true;
    this.#deps.clock.after(EVERY_MS, () => void this.keep());
  }

  /** Resolves once everything noted so far is kept, or could not be. */
  async keep(): Promise<void> {
    this.#waiting = false;
    const rows = [...this.#rows.values()];
    const dropped = this.#dropped;
    this.#rows = new Map();
    this.#bySession = new Map();
    this.#dropped = 0;
    const { central, log } = this.#deps;
    if (dropped > 0) log.warn('more different requests than are kept', { dropped });
    if (rows.length === 0) return this.#keeping;
    this.#keeping = central
      .commit('egress-log', (tx) => write(tx, rows))
      .catch((error: unknown) => log.warn('requests not recorded', { requests: rows.length, error: errorText(error) }));
    return this.#keeping;
  }

  async close(): Promise<void> {
    await this.keep();
  }
}

const together = (before: Row, it: Noted): Row => ({
  ...it,
  times: before.times + 1,
  up: before.up + it.up,
  down: before.down + it.down,
  ms: before.ms + it.ms,
});

async function write(tx: Tx, rows: readonly Row[]): Promise<void> {
  const values = rows.map(({ agentId, sessionId, kind, host, port, verdict, reason, times, up, down, ms, at }) => ({
    ...{ agent_id: agentId, session_id: sessionId, kind, host, port, verdict, reason },
    ...{ times, up, down, ms, at },
  }));
  await tx.insertInto('egress_log').values(values).execute();
  for (const agentId of new Set(rows.map((row) => row.agentId))) await prune(tx, agentId);
}

/** The newest stay. */
async function prune(tx: Tx, agentId: string): Promise<void> {
  const oldest = await tx
    .selectFrom('egress_log')
    .select('n')
    .where('agent_id', '=', agentId)
    .orderBy('n', 'desc')
    .offset(LIMITS.egressRowsPerAgent)
    .limit(1)
    .executeTakeFirst();
  if (oldest) await tx.deleteFrom('egress_log').where('agent_id', '=', agentId).where('n', '<=', oldest.n).execute();
}

/** Bytes of tunnels of a session that were over after `at`. */
export async function movedSince(central: Central, sessionId: string, at: string): Promise<number> {
  const { bytes } = await central.read
    .selectFrom('egress_log')
    .select((eb) => eb.fn.sum<number | null>(eb('up', '+', eb.ref('down'))).as('bytes'))
    .where('session_id', '=', sessionId)
    .where('at', '>=', at)
    .where('kind', '=', 'tunnel')
    .executeTakeFirstOrThrow();
  return bytes ?? 0;
}
