/** What every session's actor is given. */
import type { Trash } from '../files/remove.ts';
import type { Log } from '../log.ts';
import type { Delivery } from '../outbound/ledger.ts';
import type { Slots } from './slots.ts';
import type { WakeDeps } from './wake.ts';
import type { WatchDeps } from './watch.ts';

export type ActorDeps = WakeDeps &
  WatchDeps & {
    log: Log;
    slots: Slots;
    trash: Pick<Trash, 'discard' | 'empty'>;
    startDelivery(head: Delivery): void;
    /** Puts what the agent must be told about into its session, as context that starts nothing. */
    tellAgent(sessionId: string, agentId: string, refused: { seq: number; text: string }[]): Promise<void>;
    /** Something waits for a time that stands in central. */
    onParked(): void;
    /** The session is asleep and has nothing to do: the registry forgets `actor`, if it has not done so before. */
    onAsleep(sessionId: string, actor: object): void;
  };
