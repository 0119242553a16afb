/** in/inbound.db: the host's writer and the runner's reader. */
import type { Durable } from './durable.ts';
import {
  fit,
  inboundContent,
  parseDestination,
  parseInbound,
  parseRouting,
  type Destination,
  type InboundMessage,
  type NewInbound,
  type Receipt,
  type Routing,
  type Row,
} from './message.ts';
import { wholeNumber } from './parse.ts';
import { HOST_PARITY, nextSeq } from './seq.ts';
import { SessionFile } from './sqlite.ts';

export const INBOUND_VERSION = 1;

/** Host writes never wait long: the session's actor tries again. */
const HOST_BUSY_MS = 2;
const RUNNER_BUSY_MS = 5_000;

const INSERT_MESSAGE = `insert into messages_in
  (id, seq, kind, timestamp, wakes, address, sender, role, content, files, withdrawn) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  on conflict (id) do nothing`;
const INSERT_DESTINATION = 'insert into destinations (local_name, target_type, address) values (?, ?, ?)';
const UPSERT_RECEIPT = `insert into delivered (seq, status, platform_id, reason, timestamp) values (?, ?, ?, ?, ?)
  on conflict (seq) do update set status = excluded.status, platform_id = excluded.platform_id,
  reason = excluded.reason, timestamp = excluded.timestamp`;
export const MESSAGES_ABOVE = `select id, seq, kind, timestamp, wakes, address, sender, role, content, files, withdrawn
  from messages_in where seq > ? order by seq limit ?`;

const DELETE_SETTLED = 'delete from messages_in where id not in (select value from json_each(?))';

/** What one projection writes. Everything absent stays as it is. */
export type Projection = {
  messages?: NewInbound[];
  destinations?: Destination[];
  routing?: Routing;
  receipts?: Receipt[];
  /** Ids of messages a person took back before a turn saw them. */
  withdrawn?: string[];
  /** Highest outbound seq collected: no number is minted at or below it. */
  cursor: number;
};

/** In the order of INSERT_MESSAGE. */
const rowOf = (it: NewInbound, seq: number) => ({
  id: it.id,
  seq,
  kind: it.kind,
  timestamp: it.timestamp,
  wakes: it.wakes ? 1 : 0,
  address: it.address && JSON.stringify(it.address),
  sender: it.sender,
  role: it.role,
  content: inboundContent(it),
  files: JSON.stringify((it.kind === 'control' ? undefined : it.files) ?? []),
  withdrawn: 0,
});

export class InboundWriter {
  readonly #file: SessionFile;
  readonly #durable: Durable;

  /** Opens the existing file; throws `Fault` when it is missing, broken or newer. */
  constructor(path: string, durable: Durable) {
    this.#file = new SessionFile(path, { access: 'host-writes', timeoutMs: HOST_BUSY_MS, version: INBOUND_VERSION });
    this.#durable = durable;
  }

  /** The session this file was made for; '' straight from the template. */
  sessionId(): string {
    return String(this.#file.all('select session_id from meta')[0]?.session_id ?? '');
  }

  /** Names the session a fresh copy of the template belongs to, and the seq it may not go below. */
  adopt(sessionId: string, seqHigh: number): void {
    this.#file.run('update meta set session_id = ?, seq_high = max(seq_high, ?)', sessionId, seqHigh);
  }

  /**
   * One transaction; a message already there is left alone, its seq too. Returns how many were new. Throws `busy` at
   * once, and `bad-input` for what the runner would refuse to read; nothing of the projection is in the file then.
   */
  project(projection: Projection): number {
    return this.#durable('enqueue', () =>
      this.#file.write(() => {
        const added = this.#insertMessages(projection.messages ?? [], projection.cursor);
        if (projection.destinations) this.#replaceDestinations(projection.destinations);
        if (projection.routing) this.#setRouting(projection.routing);
        for (const it of projection.receipts ?? []) {
          this.#file.run(UPSERT_RECEIPT, it.seq, it.status, it.platformId, it.reason, it.timestamp);
        }
        this.#file.run('update session_routing set seq_floor = max(seq_floor, ?)', projection.cursor);
        for (const id of projection.withdrawn ?? []) {
          this.#file.run('update messages_in set withdrawn = 1 where id = ?', id);
        }
        return added;
      }),
    );
  }

  #insertMessages(messages: NewInbound[], cursor: number): number {
    if (messages.length === 0) return 0;
    let high = wholeNumber(this.#file.all('select seq_high from meta')[0]?.seq_high, 'seq_high');
    let added = 0;
    for (const it of messages) {
      const seq = nextSeq(HOST_PARITY, high, cursor);
      const row = fit(rowOf(it, seq), parseInbound);
      const changed = this.#file.run(INSERT_MESSAGE, ...Object.values(row));
      if (changed === 0) continue;
      high = seq;
      added += 1;
    }
    this.#file.run('update meta set seq_high = ?', high);
    return added;
  }

  #replaceDestinations(destinations: Destination[]): void {
    this.#file.run('delete from destinations');
    for (const it of destinations) {
      const address = JSON.stringify(it.address);
      const row = fit({ local_name: it.localName, target_type: it.targetType, address }, parseDestination);
      this.#file.run(INSERT_DESTINATION, row.local_name, row.target_type, row.address);
    }
  }

  #setRouting({ seqFloor, agent, provider, model, api, zone, folder }: Routing): void {
    const json = folder && JSON.stringify(folder);
    const row = fit({ seq_floor: seqFloor, agent, provider, model, api, zone, folder: json }, parseRouting);
    this.#file.run(
      `update session_routing set seq_floor = max(seq_floor, ?), agent = ?, provider = ?, model = ?, api = ?, zone = ?,
        folder = ?`,
      ...Object.values(row),
    );
  }

  /**
   * Removes rows other than `open`, and receipts at or below `keepReceiptsAbove`. Runs before every wake: the runner
   * forgets acks at or below `seq_floor`, and may do so because the rows they settle are gone by then.
   */
  prune(open: ReadonlySet<string>, keepReceiptsAbove: number): number {
    return this.#durable('prune-inbound', () =>
      this.#file.write(() => {
        // A run can have taken in tens of thousands, and the host waits here.
        const removed = this.#file.run(DELETE_SETTLED, JSON.stringify([...open]));
        this.#file.run('delete from delivered where seq <= ?', keepReceiptsAbove);
        return removed;
      }),
    );
  }

  close(): void {
    this.#file.close();
  }
}

/** Which of these messages stand in the file, by id, and as what number. Opens it only to read. Throws `Fault`. */
export function numbersIn(path: string, ids: readonly string[]): Map<string, number> {
  const file = new SessionFile(path, { access: 'reads', timeoutMs: HOST_BUSY_MS, version: INBOUND_VERSION });
  try {
    const rows = ids.flatMap((id) => file.all('select id, seq from messages_in where id = ?', id));
    return new Map(rows.map((row) => [String(row.id), wholeNumber(row.seq, 'seq')]));
  } finally {
    file.close();
  }
}

export class InboundReader {
  readonly #file: SessionFile;

  constructor(path: string) {
    this.#file = new SessionFile(path, { access: 'reads', timeoutMs: RUNNER_BUSY_MS, version: INBOUND_VERSION });
  }

  /** Messages above `seq`, oldest first. Cost depends on `limit`, not on history. */
  messagesAbove(seq: number, limit: number): InboundMessage[] {
    return this.#file.all(MESSAGES_ABOVE, seq, limit).map((row: Row) => parseInbound(row));
  }

  destinations(): Destination[] {
    const sql = 'select local_name, target_type, address from destinations order by local_name limit 1000';
    return this.#file.all(sql).map(parseDestination);
  }

  /** Both, of one moment. */
  around(): { destinations: Destination[]; routing: Routing } {
    return this.#file.read(() => ({ destinations: this.destinations(), routing: this.routing() }));
  }

  routing(): Routing {
    const row = this.#file.all('select seq_floor, agent, provider, model, api, zone, folder from session_routing')[0];
    return parseRouting(row ?? {});
  }

  /** How many rows stand in each table that grows. */
  counts(): Record<'messages_in' | 'delivered', number> {
    const row = this.#file.all(
      'select (select count(*) from messages_in) as messages_in, (select count(*) from delivered) as delivered',
    )[0];
    return {
      messages_in: wholeNumber(row?.messages_in, 'messages_in'),
      delivered: wholeNumber(row?.delivered, 'delivered'),
    };
  }

  close(): void {
    this.#file.close();
  }
}
