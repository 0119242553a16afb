/** The tunnels of one session's socket: how many at once, and that none outlives it. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Pace } from './pace.ts';
import { Tunnel, verdictOf, type Caller, type TunnelDeps, type TunnelEnd } from './tunnel.ts';
import { answer, type Refused } from './words.ts';

export type TunnelsDeps = Omit<TunnelDeps, 'over'> & {
  /** A request has come to its end; `host` is empty where it named none. */
  note(caller: Caller, host: string, end: TunnelEnd): void;
};

export class Tunnels {
  readonly caller: Caller;
  readonly #deps: TunnelsDeps;
  readonly #open = new Set<Tunnel>();
  readonly #sockets = new Set<Socket>();

  readonly #pace: Pace;

  constructor(deps: TunnelsDeps, caller: Caller) {
    this.caller = caller;
    this.#deps = deps;
    this.#pace = new Pace(deps.guards.limits.connectsPerSecond);
  }

  get open(): number {
    return this.#open.size;
  }

  /** `alone`: nothing was asked on this connection before. */
  take(asked: IncomingMessage, socket: Socket, head: Buffer, alone: boolean): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
    this.inTurn(socket, () => this.#take(asked, socket, head, alone));
  }

  /** A session that asks without end waits for itself: the host has others to serve. */
  inTurn(socket: Socket, serve: () => void): void {
    const { clock } = this.#deps;
    const ms = this.#pace.wait(clock.now().getTime());
    if (ms === 0) serve();
    else clock.after(ms, () => socket.destroyed || serve());
  }

  #take({ url = '', rawHeaders }: IncomingMessage, socket: Socket, head: Buffer, alone: boolean): void {
    const { guards, note } = this.#deps;
    // What was asked before may still be answered into it: no word of ours goes between.
    if (guards.alone && !alone) return this.#refuse(socket.destroy(), 'ambiguous', '');
    const asked = guards.request(url, rawHeaders);
    if (!asked.ok) return this.#refuse(socket, asked.why, '');
    if (this.#open.size >= guards.limits.tunnels) return this.#refuse(socket, 'too-many', asked.host);
    const over = (it: Tunnel, end: TunnelEnd): void => {
      this.#open.delete(it);
      note(this.caller, it.host, end);
    };
    const tunnel = new Tunnel({ ...this.#deps, over }, this.caller, socket, asked.host);
    this.#open.add(tunnel);
    void tunnel.open(head);
  }

  #refuse(socket: Socket, why: Refused, host: string): void {
    socket.end(answer(why, this.caller.agent, host));
    // It may go on talking: nobody listens.
    socket.once('finish', () => socket.destroy());
    this.#deps.note(this.caller, host, { verdict: verdictOf(why), reason: why, up: 0, down: 0, ms: 0 });
  }

  /** Ends those whose host no rule names any more. */
  recheck(rules: readonly string[]): void {
    for (const it of this.#open) if (this.#deps.guards.ruleFor(rules, it.host) === null) it.end('revoked');
  }

  /** At once. */
  close(): void {
    for (const it of this.#open) it.end('session-ended');
    for (const socket of this.#sockets) socket.destroy();
  }
}
