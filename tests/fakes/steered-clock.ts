/** The system's clock, which a test can set, and whose waits it can end: a line each on standard input. */
import { createInterface } from 'node:readline';
import { systemClock, type Clock } from '../../host/clock.ts';

type Wait = { ms: number; fn: () => void; cancel(): void };

export class SteeredClock implements Clock {
  readonly #waits = new Set<Wait>();
  #aheadMs = 0;

  now(): Date {
    return new Date(Date.now() + this.#aheadMs);
  }

  after(ms: number, fn: () => void): { cancel(): void } {
    const timer = systemClock.after(ms, () => this.#over(wait));
    const wait: Wait = { ms, fn, cancel: () => timer.cancel() };
    this.#waits.add(wait);
    return { cancel: () => (wait.cancel(), void this.#waits.delete(wait)) };
  }

  soon(fn: () => void): void {
    systemClock.soon(fn);
  }

  #over(wait: Wait): void {
    this.#waits.delete(wait);
    wait.fn();
  }

  /**
   * `set MS`: the clock goes ahead by so much, its waits do not. `end MS`: every wait of exactly so long is over now;
   * `end-over MS`: every wait of more than that.
   */
  steer(line: string): void {
    const [verb, ms = ''] = line.split(' ');
    if (verb === 'set') this.#aheadMs += Number(ms);
    else if (verb === 'end') this.#end((it) => it === Number(ms));
    else this.#end((it) => it > Number(ms));
  }

  #end(isMeant: (ms: number) => boolean): void {
    for (const wait of [...this.#waits].filter((it) => isMeant(it.ms))) {
      wait.cancel();
      this.#over(wait);
    }
  }
}

/** Each line is answered with `steered`. */
export function steeredBy(input: NodeJS.ReadableStream, say: (line: string) => void): SteeredClock {
  const clock = new SteeredClock();
  createInterface({ input }).on('line', (line) => {
    clock.steer(line);
    say('steered\n');
  });
  return clock;
}
