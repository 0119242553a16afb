/**
 * One CONNECT from its request to its end: allowed by a rule, led to a public address, answered, its first message read,
 * then passed on both ways until both sides have said all. However it ends, both connections are closed and one row says so.
 */
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../clock.ts';
import type { Guards } from './guards.ts';
import type { Outside } from './outside.ts';
import { reach } from './reach.ts';
import { answer, type Ending, type Refused } from './words.ts';

/** Whose request it is: known by the socket it came through, never by what it says. */
export type Caller = { sessionId: string; agentId: string; agent: string };

export type TunnelDeps = {
  outside: Outside;
  clock: Clock;
  guards: Guards;
  rulesOf(agentId: string): Promise<readonly string[]>;
  /** Whether the session may move anything more today. */
  mayMove(sessionId: string): Promise<boolean>;
  /** Adds to what it has moved; whether more is left. */
  move(sessionId: string, bytes: number): boolean;
  /** Called once. */
  over(tunnel: Tunnel, end: TunnelEnd): void;
};

export type Verdict = 'allow' | 'deny' | 'failed';
export type TunnelEnd = { verdict: Verdict; reason: Ending; up: number; down: number; ms: number };

/** A fatal `unrecognized_name` (RFC 8446 §6.2): the client says so instead of "connection closed". */
const ALERT = Buffer.from([21, 3, 3, 0, 2, 2, 112]);
const LINGER_MS = 5_000;
const DENIED: readonly Ending[] = [
  ...([
    'address',
    'port',
    'name',
    'ambiguous',
    'not-allowed',
    'not-public',
    'plain-http',
    'too-many',
    'spent',
  ] as const),
  ...(['not-tls', 'no-name', 'other-name', 'hidden-name', 'too-large', 'revoked'] as const),
];

export const verdictOf = (reason: Ending): Verdict =>
  reason === 'done' || reason === 'idle' ? 'allow' : DENIED.includes(reason) ? 'deny' : 'failed';

export class Tunnel {
  readonly caller: Caller;
  readonly host: string;
  readonly #deps: TunnelDeps;
  readonly #client: Socket;
  readonly #begun: number;
  readonly #abort = new AbortController();
  #server: Socket | null = null;
  #answered = false;
  #timer: Timer | null = null;

  constructor(deps: TunnelDeps, caller: Caller, client: Socket, host: string) {
    this.caller = caller;
    this.host = host;
    this.#deps = deps;
    this.#client = client;
    this.#begun = deps.clock.now().getTime();
    client.on('error', () => this.end('client-left'));
    client.on('close', () => this.#clientClosed());
  }

  /** `head`: what came behind the request. Never rejects; what it does not resolve to is told to `over`. */
  async open(head: Buffer): Promise<void> {
    try {
      await this.#open(head);
    } catch {
      // Central could not be asked: nothing is allowed then.
      this.refuse('not-allowed');
    }
  }

  async #open(head: Buffer): Promise<void> {
    const { guards, rulesOf, mayMove } = this.#deps;
    const rules = await rulesOf(this.caller.agentId);
    if (guards.ruleFor(rules, this.host) === null) return this.refuse('not-allowed');
    if (!(await mayMove(this.caller.sessionId))) return this.refuse('spent');
    if (this.#over) return;
    this.#within(guards.limits.dialMs, () => this.refuse('unreachable'));
    const reached = await reach({ ...this.#deps, isGlobal: guards.isGlobal }, this.host, this.#abort.signal);
    if (!reached.ok) return this.refuse(reached.why);
    if (this.#over) return void reached.socket.destroy();
    this.#server = reached.socket;
    this.#answered = true;
    this.#client.write('HTTP/1.1 200 Connection established\r\n\r\n');
    this.#within(guards.limits.helloMs, () => this.end('late'));
    const first = await this.#hello(head);
    if (first !== null) this.#relay(this.#server, first);
  }

  get #over(): boolean {
    return this.#abort.signal.aborted;
  }

  /** The client's first message, whole and looked at; null when the tunnel has ended instead. */
  #hello(head: Buffer): Promise<Buffer | null> {
    const { guards } = this.#deps;
    const client = this.#client;
    return new Promise((resolve) => {
      let bytes = head;
      const settle = (first: Buffer | null): void => {
        client.off('data', take).off('end', left).pause();
        this.#abort.signal.removeEventListener('abort', left);
        resolve(first);
      };
      const left = (): void => {
        settle(null);
        this.end('client-left');
      };
      const look = (): void => {
        const hello = guards.hello(bytes, this.host);
        if (hello.state === 'more') return;
        settle(hello.state === 'passed' ? bytes : null);
        if (hello.state !== 'refused') return;
        if (hello.why !== 'not-tls') client.write(ALERT);
        this.end(hello.why);
      };
      const take = (chunk: Buffer): void => {
        bytes = Buffer.concat([bytes, chunk]);
        look();
      };
      this.#abort.signal.addEventListener('abort', left, { once: true });
      client.on('data', take).on('end', left);
      if (head.length > 0) look();
    });
  }

  /** Each side's end is the other's end of input; a side that reads slowly slows the other. */
  #relay(server: Socket, first: Buffer): void {
    const client = this.#client;
    let moved = true;
    const idle = (): void => {
      if (!moved) return this.end('idle');
      moved = false;
      this.#within(this.#deps.guards.limits.tunnelIdleMs, idle);
    };
    const count = (chunk: Buffer): void => {
      moved = true;
      if (!this.#deps.move(this.caller.sessionId, chunk.length)) this.end('spent');
    };
    idle();
    server.on('error', () => this.end('broke-off'));
    server.on('close', () => this.end(client.readableEnded && server.readableEnded ? 'done' : 'broke-off'));
    client.on('data', count);
    server.on('data', count);
    server.write(first);
    count(first);
    client.pipe(server);
    server.pipe(client);
  }

  /** Before it was answered: in words. */
  refuse(why: Refused): void {
    if (!this.#answered && !this.#over) this.#client.write(answer(why, this.caller.agent, this.host));
    this.end(why);
  }

  /** Both have said all, but some of it may still be on its way to the server: its own end tells. */
  #clientClosed(): void {
    if (!this.#client.errored && this.#client.readableEnded && this.#server?.readableEnded) return;
    this.end('client-left');
  }

  /** At once, whatever is under way. */
  end(reason: Ending): void {
    if (this.#over) return;
    const { clock, over } = this.#deps;
    const [up, down] = [this.#server?.bytesWritten ?? 0, this.#server?.bytesRead ?? 0];
    const ms = clock.now().getTime() - this.#begun;
    this.#timer?.cancel();
    this.#abort.abort();
    this.#server?.destroy();
    // Its last words may still be on their way, but one that does not take them is not waited for.
    this.#client.destroySoon();
    const drop = clock.after(LINGER_MS, () => this.#client.destroy());
    this.#client.once('close', () => drop.cancel());
    over(this, { verdict: verdictOf(reason), reason, up, down, ms });
  }

  #within(ms: number, late: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.#deps.clock.after(ms, late);
  }
}
