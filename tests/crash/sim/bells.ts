/** Bells of all sessions, in process. A ring takes a while, may be lost, and says nothing but "look". */
import { writeFileSync } from 'node:fs';
import type { BellHost, BellRunner } from '@halfdoor/protocol/bell';
import { LIMITS } from '@halfdoor/protocol/limits';
import { never, type Life } from './life.ts';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';

type Deps = { scheduler: Scheduler; random: Random; lostPercent(): number };
type Connection = { life: Life; onRing(): void; pending: boolean; goneNow(): void };
type Listening = { life: Life; onRing(): void; pending: boolean; connections: Set<Connection> };

const WAY_MS = 2;

export class Bells {
  readonly #deps: Deps;
  readonly #listening = new Map<string, Listening>();
  readonly #deaf = new WeakSet<Life>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** The host's end. The socket is a plain file here, so that its mode can be set. */
  listen(life: Life, path: string, onRing: () => void): Promise<BellHost> {
    if (life.ended) return never();
    writeFileSync(path, '');
    const it: Listening = { life, onRing, pending: false, connections: new Set() };
    this.#listening.set(path, it);
    const hangUp = (): void => {
      if (this.#listening.get(path) === it) this.#listening.delete(path);
      for (const connection of it.connections) connection.goneNow();
      it.connections.clear();
    };
    life.onEnd(hangUp);
    const ring = (): void => it.connections.forEach((connection) => this.#send(connection.life, connection, WAY_MS));
    const close = (): Promise<void> => {
      it.onRing = () => {};
      hangUp();
      return Promise.resolve();
    };
    return Promise.resolve({ ring, close });
  }

  /** One that is still on its way says it already. */
  #send(life: Life, to: { onRing(): void; pending: boolean }, maxMs: number): void {
    const { scheduler, random, lostPercent } = this.#deps;
    const lost = random.chance(lostPercent());
    if (to.pending || lost) return;
    to.pending = true;
    scheduler.later(life, `bell ${life.name}`, maxMs, 'hears the bell', () => {
      to.pending = false;
      to.onRing();
    });
  }

  /** This run does not learn that its host has hung up: it is not scheduled, or its socket does not say so. */
  deafen(life: Life): void {
    this.#deaf.add(life);
  }

  /** The run's end. Rejects when nobody listens. */
  connect(life: Life, path: string, onRing: () => void): Promise<BellRunner> {
    if (life.ended) return never();
    const at = this.#listening.get(path);
    if (!at) return Promise.reject(new Error('nobody listens'));
    const { promise: gone, resolve } = Promise.withResolvers<void>();
    const goneNow = (): void => {
      if (this.#deaf.has(life)) return;
      this.#deps.scheduler.later(life, 'bell end', WAY_MS, 'finds the host gone', () => resolve());
    };
    const connection: Connection = { life, onRing, pending: false, goneNow };
    at.connections.add(connection);
    const isOpen = (): boolean => !life.ended && at.connections.has(connection);
    const ring = (): boolean => {
      if (isOpen()) this.#send(at.life, at, LIMITS.bellPauseMs);
      return isOpen();
    };
    const close = (): void => {
      at.connections.delete(connection);
      resolve();
    };
    onRing();
    ring();
    return Promise.resolve({ ring, gone, close });
  }
}
