/** What a platform adapter promises. One channel is one file beside this one. */
import type { Address } from '@halfdoor/protocol/message';
import type { OutgoingFile } from '../files/outbox.ts';

export type Outgoing = {
  /** The same id is the same delivery, also when it is sent again. */
  delivery: string;
  address: Address;
  text: string;
  seq: number | null;
  /** Made by the host, not by an agent. */
  notice: boolean;
  /** An earlier attempt may have arrived: the text says so to the person. */
  mayBeDuplicate: boolean;
  /** Events this answers. */
  answers: string[];
  files: readonly OutgoingFile[];
};

export type Sent =
  | { status: 'sent'; platformId: string | null }
  /** Nobody is there to receive it now; `maybeSeen` when it was shown and not confirmed. */
  | { status: 'nobody'; maybeSeen: boolean }
  | { status: 'failed'; transient: boolean; reason: string };

export interface Channel {
  readonly name: string;
  /** Whether sending the same delivery id twice shows it once. */
  readonly idempotent: boolean;
  /** Whether something sent now can arrive; false parks the chat's queue until `onReady` names it. */
  ready(address: Address): boolean;
  /** Resolves with what became of it; never rejects. */
  send(outgoing: Outgoing): Promise<Sent>;
}
