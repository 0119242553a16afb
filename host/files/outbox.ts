/**
 * The host's own copies of what agents send. They are whole and synced before the cursor moves past the message that
 * names them; from then on nothing that an agent does can change what is delivered. Read through the reader process.
 */
import { join } from 'node:path';
import type { Durable } from '@halfdoor/protocol/durable';
import { freeName, shownName } from '@halfdoor/protocol/file';
import { LIMITS } from '@halfdoor/protocol/limits';
import type { OutboundMessage } from '@halfdoor/protocol/message';
import type { OutgoingFile } from '../channels/channel.ts';
import type { Central, Tx } from '../db/central.ts';
import { compiled } from '../db/compiled.ts';
import type { Ids } from '../ids.ts';
import { errorText, type Log } from '../log.ts';
import { chatBehind, type Authorized } from '../outbound/authorize.ts';
import type { OutboundReader } from '../outbound/reader.ts';
import type { CollectedFrom } from '../outbound/settle.ts';
import type { Disk } from './disk.ts';
import { mimeOf } from './mime.ts';
import { openOut, NotSent } from './out-file.ts';

/** What became of the files of one message: its delivery's id and their copies, or why it is not sent. */
export type Copied = { delivery: string; files: OutgoingFile[]; refused: null } | { refused: Refused };
type Refused = Authorized & { allowed: false };
/** What the agent may still have kept for it. */
type Budget = { left: number };
export type Copies = ReadonlyMap<number, Copied>;

export type OutboxDeps = {
  folder: string;
  central: Central;
  reader: OutboundReader;
  disk: Disk;
  durable: Durable;
  ids: Ids;
  log: Log;
  /** Whether what arrived there is read where it lies, then or later: then copies stay as long as their message. */
  isOpenedInPlace(channel: string): boolean;
};

const KEPT_BYTES = compiled((db, it: { agentId: string }) =>
  db
    .selectFrom('outbox')
    .select((eb) => eb.fn.coalesce(eb.fn.sum<number>('bytes'), eb.val(0)).as('bytes'))
    .where('agent_id', '=', it.agentId),
);
const DELIVERY_OF = compiled((db, it: { sessionId: string; seq: number }) =>
  db
    .selectFrom('deliveries')
    .innerJoin('outbox', 'outbox.delivery_id', 'deliveries.id')
    .select(['deliveries.id', 'channel'])
    .where('session_id', '=', it.sessionId)
    .where('seq', '=', it.seq)
    .where('state', '=', 'delivered'),
);

const ARRIVED = compiled((db, it: { agentId: string }) =>
  db
    .selectFrom('outbox')
    .innerJoin('deliveries', 'deliveries.id', 'outbox.delivery_id')
    .select(['deliveries.id', 'outbox.bytes'])
    .where('outbox.agent_id', '=', it.agentId)
    .where('state', '=', 'delivered')
    .orderBy('deliveries.id'),
);

const none = (): Copies => new Map<number, never>();

export class Outbox {
  readonly #deps: OutboxDeps;
  /** Deliveries under way that have copies: nobody is asked about all the others. */
  readonly #open = new Set<string>();

  constructor(deps: OutboxDeps) {
    this.#deps = deps;
  }

  /** Copies the files of these messages, by seq. Throws when the disk refuses; nothing of them is left then. */
  async copy(from: CollectedFrom, rows: readonly OutboundMessage[]): Promise<Copies> {
    if (!rows.some((it) => it.kind === 'message' && it.files.length > 0)) return none();
    const copies = new Map<number, Copied>();
    const { central } = this.#deps;
    const kept = await KEPT_BYTES.one(central.read, { agentId: from.agentId });
    const budget = { left: LIMITS.outboxBytes - kept.bytes };
    try {
      for (const row of rows) {
        if (row.kind !== 'message' || row.files.length === 0) continue;
        // Where it may not go is refused for that: nothing is copied for it.
        if ((await chatBehind(central.read, from.agentId, row.destination)) === null) continue;
        copies.set(row.seq, await this.#copyOne(from, row, budget));
      }
    } catch (error) {
      return this.drop(copies, error);
    }
    return copies;
  }

  async #copyOne(from: CollectedFrom, row: OutboundMessage & { kind: 'message' }, budget: Budget): Promise<Copied> {
    const { ids, disk, durable, folder } = this.#deps;
    const delivery = ids();
    const into = join(folder, delivery);
    const files: OutgoingFile[] = [];
    try {
      return await durable('outbox', async () => {
        await disk.makeFolder(into);
        for (const name of row.files) files.push(await this.#copyFile(from, name, into, files, budget));
        await disk.sync(into);
        await disk.sync(folder);
        return { delivery, files, refused: null };
      });
    } catch (error) {
      budget.left += bytesOf(files);
      await disk.remove(into);
      if (!(error instanceof NotSent)) throw error;
      const target = row.destination;
      return { refused: { allowed: false, action: 'send_file', target, reason: error.message } };
    }
  }

  async #copyFile(
    { sessionId, agentId }: CollectedFrom,
    sent: string,
    into: string,
    beside: readonly OutgoingFile[],
    budget: Budget,
  ): Promise<OutgoingFile> {
    const { reader, disk } = this.#deps;
    const name = freeName(shownName(sent), (it) => beside.some((other) => other.name === it));
    const { size, pieces } = await openOut(reader, sessionId, sent);
    if (size > budget.left) budget.left += await this.#makeRoom(agentId, size - budget.left);
    if (size > budget.left) {
      throw new NotSent(sent, `files of yours that wait to be delivered leave room for ${budget.left} bytes`);
    }
    const path = join(into, name);
    const bytes = await disk.write(path, pieces);
    budget.left -= bytes;
    return { name, mime: mimeOf(name), bytes, path };
  }

  /** Of what this agent sent and has arrived, the oldest go. Returns the bytes that frees. */
  async #makeRoom(agentId: string, wanted: number): Promise<number> {
    const arrived = await ARRIVED.all(this.#deps.central.read, { agentId });
    let freed = 0;
    const over: string[] = [];
    for (const { id, bytes } of arrived) {
      if (freed >= wanted) break;
      over.push(id);
      freed += bytes;
    }
    await this.remove(over);
    return freed;
  }

  /** The commit they were made for failed for this reason, which is thrown again: they are made anew with the next. */
  async drop(copies: Copies, error: unknown): Promise<never> {
    for (const it of copies.values()) {
      if (it.refused === null) await this.#deps.disk.remove(join(this.#deps.folder, it.delivery));
    }
    throw error;
  }

  /** In the transaction that makes the delivery. */
  async keep(tx: Tx, { sessionId, agentId }: CollectedFrom, seq: number, copied: Copied | undefined): Promise<void> {
    if (copied === undefined || copied.refused !== null) return;
    this.#open.add(`${sessionId}:${seq}`);
    const row = { delivery_id: copied.delivery, agent_id: agentId, bytes: bytesOf(copied.files) };
    await tx.insertInto('outbox').values(row).execute();
  }

  /** A message arrived: nobody needs the copies any more, unless they are what the person opens. */
  arrived(sessionId: string, seq: number): void {
    if (!this.#open.delete(`${sessionId}:${seq}`)) return;
    void this.#forget(sessionId, seq).catch((error: unknown) =>
      this.#deps.log.warn('copies not removed', { session: sessionId, error: errorText(error) }),
    );
  }

  async #forget(sessionId: string, seq: number): Promise<void> {
    const { central, isOpenedInPlace } = this.#deps;
    const row = await DELIVERY_OF.first(central.read, { sessionId, seq });
    if (row && !isOpenedInPlace(row.channel)) await this.remove([row.id]);
  }

  /** The files first: a row that is left is found again. */
  async remove(deliveries: readonly string[]): Promise<void> {
    const { central, disk, folder } = this.#deps;
    for (const id of deliveries) await disk.remove(join(folder, id));
    if (deliveries.length === 0) return;
    await central.commit('forget', (tx) => tx.deleteFrom('outbox').where('delivery_id', 'in', deliveries).execute());
  }
}

const bytesOf = (files: readonly { bytes: number }[]): number => files.reduce((sum, it) => sum + it.bytes, 0);
