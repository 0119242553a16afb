/** out/outbound.db: the runner's writer and the reader that the host's reader process uses. */
import type { Durable, DurableStep } from './durable.ts';
import { Fault, isFault } from './fault.ts';
import { LIMITS } from './limits.ts';
import {
  fit,
  outboundContent,
  parseAck,
  parseOutbound,
  type NewAck,
  type NewOutbound,
  type OutboundMessage,
  type Row,
} from './message.ts';
import { wholeNumber } from './parse.ts';
import { nextSeq, RUNNER_PARITY } from './seq.ts';
import { SessionFile } from './sqlite.ts';

export const OUTBOUND_VERSION = 1;
const RUNNER_BUSY_MS = 5_000;

const INSERT_MESSAGE = `insert into messages_out
  (seq, id, run, turn, answers, kind, destination, thread, content, timestamp) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const INSERT_ACK = 'insert into processing_ack (seq, message_id, run, status, reason) values (?, ?, ?, ?, ?)';
const OUT_COLUMNS = 'seq, id, run, turn, answers, kind, destination, thread, content, timestamp';
const ACK_COLUMNS = 'seq, message_id, run, status, reason';
/** All that the host reads of this file. */
export const OUTBOUND_READABLE = { messages_out: OUT_COLUMNS.split(', '), processing_ack: ACK_COLUMNS.split(', ') };
export const ROWS_ABOVE = `select ${OUT_COLUMNS} from messages_out where seq > ? order by seq limit ?`;
export const ACKS_ABOVE = `select ${ACK_COLUMNS} from processing_ack where seq > ? order by seq limit ?`;
/** In numbers: half as many rows at most. */
const SAID_LOOK_BACK = 2_000;
export const SAID_BEFORE = `select ${OUT_COLUMNS} from messages_out o
  where seq > min(?, (select max(seq) from messages_out) - ?) and run < ? and kind = 'message'
  and exists (select 1 from json_each(o.answers) where value in (select value from json_each(?)))
  order by seq limit 200`;

const FILES_ABOVE = `select distinct value as name
  from messages_out o, json_each(case when json_valid(o.content) then o.content else '{}' end, '$.files')
  where o.seq > ? and o.kind = 'message'`;

export type OutboundWrite = {
  messages?: NewOutbound[];
  acks?: NewAck[];
  /** `null` removes the key. */
  state?: Record<string, string | null>;
  /** Highest inbound seq taken in: no number is minted at or below it. */
  seenSeq: number;
};

export class OutboundWriter {
  readonly #file: SessionFile;
  readonly #durable: Durable;
  readonly #run: number;
  /** session_state as far as it was read or written here: this run is its only writer. */
  readonly #state = new Map<string, string | null>();

  /**
   * Opens the file in its read-only folder and takes it over for `run`: from its commit on, no older run can write.
   * Throws `fenced` when a newer run has it already.
   */
  constructor(path: string, run: number, durable: Durable) {
    this.#file = new SessionFile(path, {
      access: 'runner-writes',
      timeoutMs: RUNNER_BUSY_MS,
      version: OUTBOUND_VERSION,
    });
    this.#durable = durable;
    this.#run = run;
    try {
      durable('take-over', () =>
        this.#file.write(() => this.#fence(this.#file.run('update meta set run = ? where run < ?', run, run))),
      );
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

  #fence(changed: number): void {
    if (changed === 1) return;
    throw new Fault('fenced', `run ${this.#run} no longer owns this session`, 'A newer run goes on; this one ends.');
  }

  /**
   * One transaction behind the fence. Returns the seqs of the messages, in order. Throws `fenced`, `busy`, and
   * `bad-input` for a row that the host would refuse; nothing of the write is in the file then.
   */
  write(step: Extract<DurableStep, 'say' | 'settle' | 'continuation'>, write: OutboundWrite): number[] {
    const seqs = this.#durable(step, () => this.#fenced(() => this.#apply(write)));
    for (const [key, value] of Object.entries(write.state ?? {})) this.#state.set(key, value);
    return seqs;
  }

  #fenced<T>(body: () => T): T {
    return this.#file.write(() => {
      this.#fence(this.#file.run('update meta set run = ? where run = ?', this.#run, this.#run));
      return body();
    });
  }

  #apply(write: OutboundWrite): number[] {
    let high = wholeNumber(this.#file.all('select seq_high from meta')[0]?.seq_high, 'seq_high');
    const mint = (): number => (high = nextSeq(RUNNER_PARITY, high, write.seenSeq));
    const seqs = (write.messages ?? []).map((it) => {
      const seq = mint();
      this.#insert(seq, it);
      return seq;
    });
    for (const it of write.acks ?? []) {
      const row = { seq: mint(), message_id: it.messageId, run: this.#run, status: it.status, reason: it.reason };
      this.#file.run(INSERT_ACK, ...Object.values(fit(row, parseAck)));
    }
    for (const [key, value] of Object.entries(write.state ?? {})) this.#setState(key, value);
    this.#file.run('update meta set seq_high = ?', high);
    return seqs;
  }

  #insert(seq: number, it: NewOutbound): void {
    const to = it.kind === 'message' ? it : { destination: null, thread: null };
    const row = {
      seq,
      id: it.id,
      run: this.#run,
      turn: it.turn,
      answers: JSON.stringify(it.answers),
      kind: it.kind,
      destination: to.destination,
      thread: to.thread,
      content: outboundContent(it),
      timestamp: it.timestamp,
    };
    this.#file.run(INSERT_MESSAGE, ...Object.values(fit(row, parseOutbound)));
  }

  #setState(key: string, value: string | null): void {
    if (value === null) this.#file.run('delete from session_state where key = ?', key);
    else
      this.#file.run(
        'insert into session_state (key, value) values (?, ?) on conflict (key) do update set value = excluded.value',
        key,
        value,
      );
  }

  state(key: string): string | null {
    const known = this.#state.get(key);
    if (known !== undefined) return known;
    const row = this.#file.all('select value from session_state where key = ?', key)[0];
    const value = row === undefined ? null : String(row.value);
    this.#state.set(key, value);
    return value;
  }

  isSettled(messageId: string): boolean {
    return this.#file.all('select 1 as yes from processing_ack where message_id = ? limit 1', messageId).length > 0;
  }

  /**
   * What earlier runs already said in answer to any of `messages`, oldest first. An answer's seq is above the seq of
   * what it answers, so the cost depends on what came since, not on history. Where inbound.db was made again, its rows
   * have new numbers above the answers: so the last of what was said is looked through in any case.
   */
  saidBefore(messages: readonly { id: string; seq: number }[]): OutboundMessage[] {
    if (messages.length === 0) return [];
    const above = Math.min(...messages.map((it) => it.seq));
    const ids = JSON.stringify(messages.map((it) => it.id));
    return this.#file.all(SAID_BEFORE, above, SAID_LOOK_BACK, this.#run, ids).flatMap((row: Row) => {
      try {
        return [parseOutbound(row)];
      } catch (error) {
        // The host refuses this row as well: nobody was told what it says.
        if (isFault(error, 'bad-row')) return [];
        throw error;
      }
    });
  }

  /** Names of files that messages above `seq` speak of. */
  filesAbove(seq: number): Set<string> {
    return new Set(this.#file.all(FILES_ABOVE, seq).map((row) => String(row.name)));
  }

  /** How many rows stand in each table that grows. */
  counts(): Record<'messages_out' | 'processing_ack', number> {
    const row = this.#file.all(
      'select (select count(*) from messages_out) as messages_out, (select count(*) from processing_ack) as acks',
    )[0];
    return {
      messages_out: wholeNumber(row?.messages_out, 'messages_out'),
      processing_ack: wholeNumber(row?.acks, 'processing_ack'),
    };
  }

  /**
   * Removes what the host has collected, once the file is past `LIMITS.outboundDbPruneBytes`: only then is `seqFloor`
   * asked. Returns rows removed.
   */
  pruneIfLarge(seqFloor: () => number, keepAnswersTo: readonly string[]): number {
    const count = (name: string): number => wholeNumber(this.#file.pragma(name), name);
    const used = this.#file.read(() => (count('page_count') - count('freelist_count')) * count('page_size'));
    return used > LIMITS.outboundDbPruneBytes ? this.prune(seqFloor(), keepAnswersTo) : 0;
  }

  /** Removes rows of settled turns at or below `seqFloor`; rows answering `keepAnswersTo` stay for a replay. */
  prune(seqFloor: number, keepAnswersTo: readonly string[]): number {
    return this.#durable('prune-outbound', () =>
      this.#fenced(() => {
        const kept = JSON.stringify(keepAnswersTo);
        const open = 'exists (select 1 from json_each(answers) where value in (select value from json_each(?)))';
        const messages = this.#file.run(`delete from messages_out where seq <= ? and not ${open}`, seqFloor, kept);
        return messages + this.#file.run('delete from processing_ack where seq <= ?', seqFloor);
      }),
    );
  }

  close(): void {
    this.#file.close();
  }
}

/** Rows as they stand in the file: only the host's side of the border parses them. */
export type OutboundRows = { messages: Row[]; acks: Row[]; cursor: number };

/**
 * Messages and acks above `cursor` in one transaction. If either read was cut by its limit, the cursor moves no
 * further than that read went, and rows of the other beyond it are left for the next read. `check` runs in the same
 * transaction, before the rows; what it throws is thrown.
 */
export function readOutboundRows(
  file: SessionFile,
  cursor: number,
  limit: number,
  check: () => void = () => undefined,
): OutboundRows {
  return file.read(() => {
    check();
    const messages = file.all(ROWS_ABOVE, cursor, limit);
    const acks = file.all(ACKS_ABOVE, cursor, limit);
    const last = (rows: Row[]): number => Number(rows.at(-1)?.seq ?? cursor);
    const cut = (rows: Row[]): number => (rows.length === limit ? last(rows) : Infinity);
    const bound = Math.min(cut(messages), cut(acks));
    const within = (rows: Row[]): Row[] => rows.filter((row) => Number(row.seq) <= bound);
    const taken = { messages: within(messages), acks: within(acks) };
    return { ...taken, cursor: Math.max(last(taken.messages), last(taken.acks)) };
  });
}
