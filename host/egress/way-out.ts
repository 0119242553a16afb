/** What all sessions' sockets share: who may reach what, what each has moved today, and the record of it. */
import type { Clock } from '../clock.ts';
import type { Guards } from './guards.ts';
import { SEARCH } from './presets.ts';
import type { Outside } from './outside.ts';
import { Tunnels } from './tunnels.ts';
import type { Caller, TunnelEnd } from './tunnel.ts';

export type WayOutDeps = {
  clock: Clock;
  outside: Outside;
  guards: Guards;
  /** Of an agent, as they stand now. */
  rulesOf(agentId: string): Promise<readonly string[]>;
  /** Bytes that the record holds of a session since then. */
  movedSince(sessionId: string, at: string): Promise<number>;
  /** Comes back at once; what becomes of it costs no request anything. */
  note(it: Noted): void;
};

/** `model`, `search`: asked of the endpoint an owner set for it; everything else is `tunnel`. */
export type Noted = Caller & TunnelRow & { kind: 'tunnel' | 'model' | 'search'; at: string };
type TunnelRow = { host: string; port: number; verdict: 'allow' | 'deny' | 'failed'; reason: string } & Pick<
  TunnelEnd,
  'up' | 'down' | 'ms'
>;

const DAY_MS = 24 * 60 * 60_000;
const PORT = 443;

export class WayOut {
  readonly clock: Clock;
  readonly guards: Guards;
  readonly #deps: WayOutDeps;
  readonly #sessions = new Set<Tunnels>();
  readonly #moved = new Map<string, { since: number; bytes: number }>();

  constructor(deps: WayOutDeps) {
    this.#deps = deps;
    this.clock = deps.clock;
    this.guards = deps.guards;
  }

  /** The tunnels of one socket; `leave` when it closes. */
  enter(caller: Caller): Tunnels {
    const tunnels = new Tunnels(
      {
        ...this.#deps,
        mayMove: (sessionId) => this.#mayMove(sessionId),
        move: (sessionId, bytes) => this.#move(sessionId, bytes),
        note: (by, host, end) => this.note({ ...by, kind: 'tunnel', host, port: PORT, ...end }),
      },
      caller,
    );
    this.#sessions.add(tunnels);
    return tunnels;
  }

  leave(tunnels: Tunnels): void {
    tunnels.close();
    this.#sessions.delete(tunnels);
  }

  note(it: Omit<Noted, 'at'>): void {
    this.#deps.note({ ...it, at: this.clock.now().toISOString() });
  }

  /** Whether the agent may search by the owner's endpoint. */
  async maySearch(agentId: string): Promise<boolean> {
    return (await this.#deps.rulesOf(agentId)).includes(SEARCH);
  }

  /** The agent's rules have changed: what they no longer name ends now. */
  async recheck(agentId: string): Promise<void> {
    const rules = await this.#deps.rulesOf(agentId);
    for (const it of this.#sessions) if (it.caller.agentId === agentId) it.recheck(rules);
  }

  async #mayMove(sessionId: string): Promise<boolean> {
    const now = this.clock.now().getTime();
    for (const [id, { since }] of this.#moved) if (now - since >= DAY_MS) this.#moved.delete(id);
    if (!this.#moved.has(sessionId)) {
      const bytes = await this.#deps.movedSince(sessionId, new Date(now - DAY_MS).toISOString());
      if (!this.#moved.has(sessionId)) this.#moved.set(sessionId, { since: now, bytes });
    }
    return this.#move(sessionId, 0);
  }

  #move(sessionId: string, bytes: number): boolean {
    const moved = this.#moved.get(sessionId) ?? { since: this.clock.now().getTime(), bytes: 0 };
    this.#moved.set(sessionId, moved);
    moved.bytes += bytes;
    return moved.bytes < this.guards.limits.tunnelBytesPerDay;
  }
}
