/** What the parts of the host tell each other without waiting. Losing one loses no message: the truth is in central. */
import { EventEmitter } from 'node:events';
import type { Progress } from '@halfdoor/protocol/host';
import type { SessionState } from './api/contract.ts';

export type SignalMap = {
  /** Events whose dispatches were settled, after the commit. */
  settled: [{ eventIds: string[] }];
  session: [{ sessionId: string; agentId: string; state: SessionState; parkedUntil?: string | null }];
  /** Its place among those that wait for a sandbox, whenever that has changed. */
  place: [{ sessionId: string; agentId: string; n: number; of: number }];
  /** Something went into a session, came out of it, or arrived. */
  traffic: [{ sessionId: string }];
  /** An agent is gone, with its chat. */
  deleted: [{ agentId: string }];
  progress: [{ sessionId: string; agentId: string; progress: Progress }];
};

export class Signals {
  readonly #emitter = new EventEmitter<SignalMap>().setMaxListeners(0);

  emit<K extends keyof SignalMap>(name: K, value: SignalMap[K][0]): void {
    this.#emitter.emit(name, ...([value] as never));
  }

  /** Returns what ends the listening. */
  on<K extends keyof SignalMap>(name: K, listener: (value: SignalMap[K][0]) => void): () => void {
    this.#emitter.on(name, listener as never);
    return () => void this.#emitter.off(name, listener as never);
  }
}
