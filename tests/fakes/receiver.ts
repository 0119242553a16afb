/** The counting receiver of `receiver-main.ts`, as a test holds it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Said } from '../../host/channels/http/types.ts';

export type Behaviour =
  | { do: 'answer'; status: number; retryAfter?: string; location?: string }
  /** Reads it, shows it, and drops the connection. */
  | { do: 'drop' }
  /** Reads it, shows it, and answers when it is released. */
  | { do: 'hold' };

/** `script`: one behaviour for each request, then `afterwards`; 200 where nothing is said. */
export type Command =
  | { do: 'know'; name: string; secret: string }
  | { do: 'script'; name: string; behaviours: Behaviour[]; afterwards?: Behaviour }
  | { do: 'ahead'; seconds: number }
  | { do: 'release' }
  | { do: 'down' }
  | { do: 'up' };

export type Got = {
  name: string;
  /** The id of the delivery, and the key of the request. */
  id: string;
  key: string;
  order: number;
  behaviour: Behaviour;
  /** How often this id was shown, this time included; one that was refused was not shown. */
  copy: number;
  signed: boolean;
  headers: Record<string, string>;
  body: Said;
};
type Told = ({ type: 'got' } & Got) | { type: 'up'; port: number } | { type: 'down' } | { type: 'done' };

export class Receiver {
  readonly got: Got[] = [];
  readonly #child: ChildProcess;
  #port = 0;
  #told: ((it: Told) => void)[] = [];
  #wake: () => void = () => {};

  private constructor() {
    const main = join(import.meta.dirname, 'receiver-main.ts');
    this.#child = spawn(process.execPath, [main], { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.#child.stdout ?? process.stdin }).on('line', (line) => {
      this.#take(JSON.parse(line) as Told);
    });
  }

  /** Resolves when it listens. */
  static async open(): Promise<Receiver> {
    const receiver = new Receiver();
    await receiver.#answer();
    return receiver;
  }

  #take(it: Told): void {
    if (it.type === 'got') {
      const { type: _, ...got } = it;
      this.got.push(got);
      this.#wake();
      return;
    }
    if (it.type === 'up') this.#port = it.port;
    this.#told.shift()?.(it);
  }

  #answer(): Promise<Told> {
    return new Promise((resolve) => this.#told.push(resolve));
  }

  /** Resolves when it holds. */
  async tell(command: Command): Promise<void> {
    this.#child.stdin?.write(`${JSON.stringify(command)}\n`);
    await this.#answer();
  }

  url(name: string): string {
    return `http://127.0.0.1:${this.#port}/${name}`;
  }

  of(name: string): Got[] {
    return this.got.filter((it) => it.name === name);
  }

  /** What was shown at this place, in order. */
  shown(name: string): string[] {
    return this.of(name).flatMap((it) =>
      it.behaviour.do !== 'answer' || it.behaviour.status < 300 ? [it.body.text] : [],
    );
  }

  /** Resolves once `holds`, now or when something came. */
  async until(holds: (receiver: this) => boolean): Promise<void> {
    for (;;) {
      const changed = new Promise<void>((resolve) => (this.#wake = resolve));
      if (holds(this)) return;
      await changed;
    }
  }

  close(): Promise<void> {
    const ended = new Promise<void>((resolve) => this.#child.once('close', () => resolve()));
    this.#child.stdin?.end();
    return ended;
  }
}
