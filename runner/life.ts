/** The two signs of life beside outbound.db: what this run is working on, and one line for the person who waits. */
import { LIMITS } from '@halfdoor/protocol/limits';
import type { Heartbeat, LineFile, Progress } from '@halfdoor/protocol/runner';

type Deps = {
  heartbeat: Pick<LineFile<Heartbeat>, 'write'>;
  progress: Pick<LineFile<Progress>, 'write'>;
  run: number;
  now(): string;
  /** Tells the host that something changed. */
  ring(): void;
};

export class Life {
  readonly #deps: Deps;
  #beat = 0;
  #turn: string | null = null;
  #claims: string[] = [];
  #tool: string | null = null;
  #said = '';

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Says again that this run lives. Called every `LIMITS.beatMs`. */
  beat(): void {
    this.#beat += 1;
    const claims = this.#claims.slice(0, LIMITS.batchMessages * 2);
    this.#deps.heartbeat.write({
      run: this.#deps.run,
      beat: this.#beat,
      turn: this.#turn,
      claims,
      tool: this.#tool,
      deadline: null,
    });
  }

  /** What is being worked on; void with the run. */
  claim(turn: string | null, claims: string[]): void {
    this.#turn = turn;
    this.#claims = claims;
    this.beat();
  }

  /** One line of state. Rings only when it changed. */
  show(state: Progress['state'], detail: string | null): void {
    const said = `${state} ${detail ?? ''}`;
    if (said === this.#said) return;
    this.#said = said;
    this.#tool = state === 'tool' ? detail : null;
    const since = this.#deps.now();
    this.#deps.progress.write({ run: this.#deps.run, turn: this.#turn, state, detail, since });
    if (state === 'tool' || state === 'retrying') this.#deps.ring();
  }
}
