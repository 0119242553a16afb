/** The other side of the gate: arms a step, hears who has stopped there, lets it go on. */
import { execFileSync } from 'node:child_process';
import { constants, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ARMED, PIPE, type Armed, type Stopped } from './gate.ts';

export class Controller {
  readonly #folder: string;
  readonly #pipe: Socket;
  /** Takes who stopped at what is armed; whoever comes too late is let go at once. */
  readonly #letGo: (stopped: Stopped) => void;
  #id = 0;
  #waiting: ((stopped: Stopped | null) => void) | null = null;

  constructor(folder: string, letGo: (stopped: Stopped) => void) {
    this.#folder = folder;
    this.#letGo = letGo;
    const path = join(folder, PIPE);
    execFileSync('mkfifo', ['-m', '600', path]);
    // Open for both: it never ends, however often the last writer goes.
    this.#pipe = new Socket({ fd: openSync(path, constants.O_RDWR | constants.O_NONBLOCK), readable: true });
    createInterface({ input: this.#pipe }).on('line', (line) => this.#take(JSON.parse(line) as Stopped));
  }

  #take(stopped: Stopped): void {
    // Two may come to it at once, and one may come late: the first that is waited for is taken.
    const waiting = stopped.id === this.#id ? this.#waiting : null;
    if (waiting === null) return this.#letGo(stopped);
    this.#waiting = null;
    waiting(stopped);
  }

  /** Resolves with the first who stops there; null when nobody came there in time. */
  async stopAt(where: Pick<Armed, 'step' | 'edge'>, withinMs: number): Promise<Stopped | null> {
    const armed: Armed = { ...where, id: ++this.#id };
    const path = join(this.#folder, ARMED);
    writeFileSync(`${path}.new`, JSON.stringify(armed));
    const came = new Promise<Stopped | null>((resolve) => (this.#waiting = resolve));
    renameSync(`${path}.new`, path);
    const late = setTimeout(() => this.#waiting?.(null), withinMs);
    const stopped = await came;
    clearTimeout(late);
    this.#waiting = null;
    rmSync(path);
    return stopped;
  }

  close(): void {
    this.#pipe.destroy();
  }
}
