/** One incarnation of one side: a host, or a run. Ended, nothing of it goes on: what it waits for never comes. */
export class Life {
  readonly name: string;
  #ended = false;
  readonly #after: (() => void)[] = [];

  constructor(name: string) {
    this.name = name;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** `fn` is called when this ends, in the order of the calls. */
  onEnd(fn: () => void): void {
    this.#after.push(fn);
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const fn of this.#after) fn();
  }
}

/** Thrown into the code of a side that was killed in the middle of it, so that it does nothing more. */
export class Killed extends Error {
  constructor(life: Life) {
    super(`${life.name} was killed`);
    this.name = 'Killed';
  }
}

/** What somebody who is dead waits for. */
export const never = <T>(): Promise<T> => new Promise<T>(() => {});
