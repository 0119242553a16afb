/** What the host itself says to people. It enters the same ledger as everything else; the same key is said once. */
import type { Address } from '@halfdoor/protocol/message';
import type { Tx } from '../db/central.ts';
import type { Ids } from '../ids.ts';
import { insertDelivery } from './ledger.ts';

export type Notice = {
  key: string;
  agentId: string;
  sessionId: string | null;
  address: Address;
  text: string;
  eventIds: string[];
};

/** Returns false when this notice was made before. */
export function insertNotice(tx: Tx, notice: Notice, ids: Ids, now: string): Promise<boolean> {
  return insertDelivery(
    tx,
    {
      agentId: notice.agentId,
      sessionId: notice.sessionId,
      seq: null,
      noticeKey: notice.key,
      address: notice.address,
      destination: null,
      content: { type: 'notice', text: notice.text },
      eventIds: notice.eventIds,
    },
    ids,
    now,
  );
}
