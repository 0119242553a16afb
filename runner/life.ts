/** The two signs of life beside outbound.db: what this run is working on, and one line for the person who waits. */
import { LIMITS } from '@halfdoor/protocol/limits';
import type { Heartbeat, LineFile, Progress, Said } from '@halfdoor/protocol/runner';

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
  #shown: Pick<Progress, 'state' | 'detail' | 'since'> | null = null;

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

  /** One line of state. Rings when it changed to something that a person waits through. */
  show(state: Progress['state'], detail: string | null): void {
    const before = this.#shown;
    if (before?.state === state && before.detail === detail) return;
    this.#tool = state === 'tool' ? detail : null;
    this.#shown = { state, detail, since: this.#deps.now() };
    this.#tell(this.#shown, null);
    const rests = state === 'idle' || (state === 'thinking' && before?.state !== 'waiting');
    if (!rests) this.#deps.ring();
  }

  /** The model has begun to say something, that is no text yet. */
  stirred(): void {
    if (this.#shown?.state === 'waiting') this.show('thinking', null);
  }

  /** The answer is being written; `said` is what can be shown of it. */
  write(said: Said | null): void {
    this.#tool = null;
    if (this.#shown?.state !== 'writing') this.#shown = { state: 'writing', detail: null, since: this.#deps.now() };
    this.#tell(this.#shown, said);
    this.#deps.ring();
  }

  #tell(shown: Pick<Progress, 'state' | 'detail' | 'since'>, said: Said | null): void {
    this.#deps.progress.write({ run: this.#deps.run, turn: this.#turn, ...shown, said });
  }
}
