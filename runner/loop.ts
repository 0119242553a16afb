/**
 * The runner's loop: look → batch → turn → again, until it is told to end. Control rows are read ahead of everything, in
 * mid-turn too; whatever else comes in mid-turn is pushed into the turn.
 */
import { LIMITS } from '@halfdoor/protocol/limits';
import type { InboundMessage, NewAck } from '@halfdoor/protocol/message';
import type { OutboundWriter } from '@halfdoor/protocol/runner';
import type { Intake } from './intake.ts';
import type { Life } from './life.ts';
import { Turn, type TurnDeps } from './turn.ts';

export type LoopDeps = TurnDeps & {
  outbound: OutboundWriter;
  intake: Intake;
  life: Life;
  newId(): string;
  ring(): void;
  /** Calls `fn` after `ms`; returns what cancels it. */
  after(ms: number, fn: () => void): () => void;
};

export class Loop {
  readonly #deps: LoopDeps;
  #turn: Turn | null = null;
  #ending = false;
  #parked = false;
  #failure: unknown = null;
  #wake: () => void = () => {};
  #cancelPoll: () => void = () => {};

  constructor(deps: LoopDeps) {
    this.#deps = deps;
  }

  /** The turn under way, for tools that speak in its name. */
  get turn(): Turn | null {
    return this.#turn;
  }

  /** Runs until `end()`. Throws what no turn can settle: `fenced`, a broken file. */
  async run(): Promise<void> {
    this.#takeIn();
    for (;;) {
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      if (this.#failure !== null) throw this.#failure;
      if (this.#ending) break;
      const batch = this.#parked ? [] : this.#deps.intake.batch();
      if (batch.length > 0) {
        await this.#runTurn(batch);
        this.#takeIn();
      } else {
        this.#rest();
        await woken;
      }
    }
    this.#cancelPoll();
  }

  /** The bell rang, or the poll: takes in what is new. Never throws; what it finds broken ends `run`. */
  look(): void {
    this.#takeIn();
    this.#wake();
  }

  #takeIn(): void {
    try {
      for (const control of this.#deps.intake.look()) this.#stopBefore(control);
      this.#turn?.push([...this.#deps.intake.waiting]);
    } catch (error) {
      this.#failure ??= error;
      void this.#turn?.abort();
    }
    this.#poll();
  }

  /** Ends after the running transaction: the turn is aborted and its messages stay open for the next run. */
  async end(): Promise<void> {
    this.#ending = true;
    this.#wake();
    await this.#turn?.abort();
  }

  async #runTurn(batch: InboundMessage[]): Promise<void> {
    const turn = new Turn(this.#deps, this.#deps.newId(), batch);
    this.#turn = turn;
    this.#poll();
    try {
      await turn.run();
    } finally {
      this.#turn = null;
      this.#parked = turn.parked;
    }
  }

  /** Nothing to do: says so, and gives back what the host has collected long since. */
  #rest(): void {
    const { life, outbound, intake } = this.#deps;
    life.claim(null, []);
    life.show('idle', null);
    outbound.pruneIfLarge(
      () => intake.routing().seqFloor,
      intake.waiting.map((it) => it.id),
    );
  }

  #poll(): void {
    this.#cancelPoll();
    if (this.#ending) return;
    const ms = this.#turn === null ? LIMITS.bellPollIdleMs : LIMITS.bellPollMs;
    this.#cancelPoll = this.#deps.after(ms, () => this.look());
  }

  /** Takes back everything that came before the control row, whether it is being worked on or waits. */
  #stopBefore(control: InboundMessage): void {
    const { outbound, intake } = this.#deps;
    const stopped = intake.waiting.filter((it) => it.seq < control.seq).map((it) => it.id);
    if (this.#turn !== null && stopped.some((id) => this.#turn?.has(id))) void this.#turn.abort();
    const acks = stopped.map((messageId): NewAck => ({ messageId, status: 'failed', reason: 'stopped' }));
    acks.push({ messageId: control.id, status: 'done', reason: null });
    outbound.write('settle', { acks, seenSeq: intake.highest });
    intake.settled(new Set(stopped));
    this.#deps.ring();
  }
}
