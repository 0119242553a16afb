/** A world whose host runs in this process, on a clock that a test can push ahead; the rest of it is as in any world. */
import { tmpdir } from 'node:os';
import type { TestContext } from 'node:test';
import { makeDurable } from '@halfdoor/protocol/durable';
import type { Clock, Timer } from '../../host/clock.ts';
import { systemOutside } from '../../host/egress/outside.ts';
import { openHost, type Host } from '../../host/host.ts';
import { makeLog } from '../../host/log.ts';
import { Redactor } from '../../host/secrets/redact.ts';
import { World } from './host.ts';
import { bunPath, distPath } from './programs.ts';

type Waiting = { at: number; fn: () => void; real: NodeJS.Timeout };

/** Real time, and what it was pushed ahead. */
export class HastenedClock implements Clock {
  aheadMs = 0;
  readonly #waiting = new Set<Waiting>();

  now(): Date {
    return new Date(Date.now() + this.aheadMs);
  }

  after(ms: number, fn: () => void): Timer {
    const it: Waiting = { at: this.now().getTime() + ms, fn, real: this.#arm(ms, () => this.#fire(it)) };
    this.#waiting.add(it);
    return { cancel: () => this.#drop(it) };
  }

  soon(fn: () => void): void {
    setImmediate(fn);
  }

  /** What is due by then happens now, in order. */
  push(ms: number): void {
    this.aheadMs += ms;
    const now = this.now().getTime();
    for (const it of [...this.#waiting].sort((a, b) => a.at - b.at)) {
      if (!this.#waiting.has(it)) continue; // one before it has cancelled it
      clearTimeout(it.real);
      if (it.at <= now) this.#fire(it);
      else it.real = this.#arm(it.at - now, () => this.#fire(it));
    }
  }

  #arm(ms: number, fn: () => void): NodeJS.Timeout {
    return setTimeout(fn, ms).unref();
  }

  #fire(it: Waiting): void {
    this.#drop(it);
    it.fn();
  }

  #drop(it: Waiting): void {
    clearTimeout(it.real);
    this.#waiting.delete(it);
  }
}

export class HastenedWorld extends World {
  readonly clock = new HastenedClock();
  #host: Host | null = null;

  override async start(): Promise<void> {
    const redactor = new Redactor();
    const clock = this.clock;
    this.#host = await openHost({
      root: this.home,
      bun: bunPath(),
      dist: distPath(),
      environment: {},
      redactor,
      env: { XDG_RUNTIME_DIR: tmpdir(), HOME: this.folder },
      uid: process.getuid?.() ?? 0,
      pid: process.pid,
      clock,
      outside: systemOutside,
      log: makeLog(
        (line) => (this.log += line),
        () => clock.now(),
        (text) => redactor.text(text),
      ),
      durable: makeDurable(),
      shutDown: () => {},
    });
  }

  /** There is no process of its own to kill. */
  override async end(): Promise<number | null> {
    await this.#host?.close();
    this.#host = null;
    return 0;
  }
}

export async function openHastened(t: TestContext): Promise<HastenedWorld> {
  const world = new HastenedWorld({});
  t.after(() => world.close());
  await world.start();
  return world;
}
