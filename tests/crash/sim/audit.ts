/**
 * Looks over everybody's shoulder with connections of its own: after each durable step what stands in the files must
 * follow from what stood there before. Remembers what has been pruned.
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { existsSync } from 'node:fs';
import type { DurableStep } from '@halfdoor/protocol/durable';
import { sessionPaths, type Home } from '../../../host/home.ts';

type Violate = (what: string) => void;
type Ids = Set<string>;

/** All that was ever seen of one session. */
type Memory = {
  cursor: number;
  run: number;
  inbound: Map<number, string>;
  seqOf: Map<string, number>;
  outboundHigh: number;
  said: Ids;
  acked: Ids;
  death: Death | null;
  tries: Map<string, number>;
};

/**
 * How its last run died: what it worked on, null when it said nothing or did not start, and what was open then. `owed`:
 * whether what would have started it is still to be counted against.
 */
type Death = { run: number; claims: string[] | null; open: Map<string, number>; owed: boolean };

type OutRow = { seq: number; answers: string; kind: string };
type AckRow = { seq: number; message_id: string; status: string; reason: string | null };

export class Audit {
  readonly #home: Home;
  readonly #violate: Violate;
  readonly #mayMiss: (session: string) => boolean;
  readonly #sessions = new Map<string, Memory>();
  readonly #files = new Map<string, { db: DatabaseSync; statements: Map<string, StatementSync> }>();

  /** `mayMiss`: whether the last look at what this session wrote could not see all of it. */
  constructor(home: Home, violate: Violate, mayMiss: (session: string) => boolean) {
    this.#home = home;
    this.#violate = violate;
    this.#mayMiss = mayMiss;
  }

  /** The files were replaced: what is open belongs to those that are gone. */
  close(): void {
    for (const path of [...this.#files.keys()]) this.#closeFile(path);
  }

  #closeFile(path: string): void {
    this.#files.get(path)?.db.close();
    this.#files.delete(path);
  }

  rows<T>(path: string, sql: string, ...values: (string | number)[]): T[] {
    const file = this.#files.get(path) ?? { db: new DatabaseSync(path, { readOnly: true }), statements: new Map() };
    this.#files.set(path, file);
    const statement = file.statements.get(sql) ?? file.db.prepare(sql);
    file.statements.set(sql, statement);
    return statement.all(...values) as T[];
  }

  central<T>(sql: string, ...values: (string | number)[]): T[] {
    return existsSync(this.#home.central) ? this.rows<T>(this.#home.central, sql, ...values) : [];
  }

  #memory(session: string): Memory {
    const known = this.#sessions.get(session);
    if (known) return known;
    const fresh: Memory = {
      ...{ cursor: 0, run: 0, outboundHigh: 0, death: null },
      ...{ inbound: new Map(), seqOf: new Map(), said: new Set(), acked: new Set(), tries: new Map() },
    };
    this.#sessions.set(session, fresh);
    return fresh;
  }

  /** After a step of the host. */
  host(step: DurableStep): void {
    if (step === 'collect' || step === 'start-run') this.#cursors();
    if (step === 'settle-dead') {
      this.#tries();
      this.#owed();
    }
    if (step === 'enqueue' || step === 'prune-inbound') for (const id of this.#sessions.keys()) this.#inbound(id);
  }

  #cursors(): void {
    for (const { id, cursor, run } of this.central<{ id: string; cursor: number; run: number }>(
      'select id, cursor, run from sessions',
    )) {
      const memory = this.#memory(id);
      if (cursor < memory.cursor) this.#violate(`the cursor of ${id} went back from ${memory.cursor} to ${cursor}`);
      if (cursor > memory.outboundHigh) this.#violate(`the cursor of ${id} is past everything written`);
      if (run < memory.run) this.#violate(`the run of ${id} went back from ${memory.run} to ${run}`);
      Object.assign(memory, { cursor, run });
    }
  }

  #inbound(session: string): void {
    const { inbound } = sessionPaths(this.#home, session);
    if (!existsSync(inbound)) return;
    const memory = this.#memory(session);
    for (const { id, seq } of this.#projected(session, inbound)) {
      const before = memory.inbound.get(seq);
      if (seq % 2 !== 0) this.#violate(`inbound seq ${seq} of ${session} is odd`);
      if (before !== undefined && before !== id) this.#violate(`inbound seq ${seq} of ${session} was given twice`);
      memory.inbound.set(seq, id);
      memory.seqOf.set(id, seq);
    }
  }

  /** Empty for a file that was broken and is not made again yet. */
  #projected(session: string, path: string): { id: string; seq: number }[] {
    try {
      return this.rows(path, 'select id, seq from messages_in');
    } catch {
      this.replaced(session);
      return [];
    }
  }

  /** The host put a file of this session in place of another. */
  replaced(session: string): void {
    this.#closeFile(sessionPaths(this.#home, session).inbound);
  }

  /** After a step of a run. */
  runner(session: string, step: DurableStep): void {
    const memory = this.#memory(session);
    const { outbound } = sessionPaths(this.#home, session);
    const messages = this.rows<OutRow>(
      outbound,
      'select seq, answers, kind from messages_out where seq > ? order by seq',
      memory.outboundHigh,
    );
    const acks = this.rows<AckRow>(
      outbound,
      'select seq, message_id, status, reason from processing_ack where seq > ? order by seq',
      memory.outboundHigh,
    );
    for (const { seq, answers } of messages) {
      for (const id of JSON.parse(answers) as string[]) {
        if (seq <= (memory.seqOf.get(id) ?? 0)) this.#violate(`answer ${seq} of ${session} is below what it answers`);
      }
    }
    this.#seqs(session, memory, [...messages, ...acks]);
    const said = messages.filter((it) => it.kind === 'message').flatMap((it) => JSON.parse(it.answers) as string[]);
    const isAcked = (id: string): boolean => memory.acked.has(id) || acks.some((it) => it.message_id === id);
    if (step === 'settle') {
      for (const id of said) if (!isAcked(id)) this.#violate(`a reply to ${id} was settled without its ack`);
    }
    for (const id of said) memory.said.add(id);
    const done = acks.filter((it) => it.status === 'done' && it.reason === null && !this.#isControl(it.message_id));
    // A batch is answered as a whole: what one reply says may answer all of it.
    if (done.length > 0 && !done.some((it) => memory.said.has(it.message_id))) {
      this.#violate(`${done[0]?.message_id} was acked as done without a reply`);
    }
    for (const { message_id: id } of acks) memory.acked.add(id);
  }

  #isControl(dispatch: string): boolean {
    return this.central<{ kind: string }>('select kind from dispatches where id = ?', dispatch)[0]?.kind === 'control';
  }

  #seqs(session: string, memory: Memory, rows: readonly { seq: number }[]): void {
    const seqs = rows.map((it) => it.seq).sort((a, b) => a - b);
    for (const seq of seqs) {
      if (seq % 2 !== 1) this.#violate(`outbound seq ${seq} of ${session} is even`);
      if (seq <= memory.outboundHigh) this.#violate(`outbound seq ${seq} of ${session} was given twice`);
      memory.outboundHigh = seq;
    }
  }

  /** These are put before a model. */
  prompt(session: string, ids: readonly string[]): void {
    for (const id of ids) {
      if (this.#memory(session).acked.has(id)) this.#violate(`${id} enters a prompt and is acked already`);
    }
  }

  /** A run died, or did not start. `seen`: a host is there to see it. */
  died({ sessionId, run }: { sessionId: string; run: number }, claims: string[] | null, seen: boolean): void {
    const open = this.central<{ id: string; tries: number }>(
      `select id, tries from dispatches where session_id = ? and state = 'open' and wakes = 1`,
      sessionId,
    );
    const tries = new Map(open.map((it) => [it.id, it.tries]));
    this.#memory(sessionId).death = { run, claims, open: tries, owed: seen && claims === null };
  }

  /** The host ends, or is killed: what died meanwhile is held against nothing. */
  forgive(): void {
    for (const memory of this.#sessions.values()) if (memory.death) memory.death.owed = false;
  }

  /** A run that said nothing counts against all that would have started it. */
  #owed(): void {
    for (const [session, { death }] of this.#sessions) {
      if (!death?.owed || this.#mayMiss(session)) continue;
      const [ended] = this.central(
        'select 1 from runs where session_id = ? and run = ? and ended_at is not null',
        session,
        death.run,
      );
      if (!ended) continue;
      death.owed = false;
      death.owed = false;
      for (const [id, before] of death.open) {
        const [now] = this.central<{ state: string; tries: number }>(
          'select state, tries from dispatches where id = ?',
          id,
        );
        if (now?.state === 'open' && now.tries === before) {
          this.#violate(`${id} would have started a run that died without a word, and no try was counted`);
        }
      }
    }
  }

  /** Tries may grow by one after a death, and only of what that run worked on. */
  #tries(): void {
    for (const { id, session_id, tries } of this.central<{ id: string; session_id: string; tries: number }>(
      'select id, session_id, tries from dispatches where tries > 0',
    )) {
      const memory = this.#memory(session_id);
      const before = memory.tries.get(id) ?? 0;
      if (tries === before) continue;
      const claims = memory.death?.claims ?? null;
      if (tries > before + 1) this.#violate(`the tries of ${id} grew by more than one`);
      if (!memory.death) this.#violate(`a try of ${id} was counted and no run of its session had died`);
      if (memory.acked.has(id) && !this.#mayMiss(session_id)) {
        this.#violate(`a try of ${id} was counted, which its run had answered`);
      }
      if (claims !== null && claims.length > 0 && !claims.includes(id) && !this.#mayMiss(session_id)) {
        this.#violate(`a try of ${id} was counted for a death of a run that did not work on it`);
      }
      memory.tries.set(id, tries);
    }
  }
}
