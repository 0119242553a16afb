/** What the platform said → central: the row's end or its next try, and `sending` of the next head, in one commit. */
import { LIMITS } from '@halfdoor/protocol/limits';
import type { Receipt } from '@halfdoor/protocol/message';
import type { Sent } from '../channels/channel.ts';
import type { Tx } from '../db/central.ts';
import { compiled } from '../db/compiled.ts';
import { takeHead, type Delivery } from './ledger.ts';

export type AfterSend =
  | { state: 'delivered'; platformId: string | null }
  | { state: 'queued'; tries: number; mayBeDuplicate: boolean; retryMs: number | null; reason: string | null }
  | { state: 'dead'; reason: string };

/** Waits between the tries of one delivery, in milliseconds: six tries over ten minutes. */
const RETRY_MS = [1_000, 5_000, 30_000, 120_000, 444_000] as const;

/** Decides purely: what becomes of a delivery after one attempt. */
export function afterSend(sent: Sent, tries: number, idempotent: boolean): AfterSend {
  if (sent.status === 'sent') return { state: 'delivered', platformId: sent.platformId };
  const mayBeDuplicate = sent.maybeSeen && !idempotent;
  if (sent.status === 'nobody') return { state: 'queued', tries, mayBeDuplicate, retryMs: null, reason: null };
  const { reason, retryAfterMs } = sent;
  const backoffMs = RETRY_MS[tries];
  if (!sent.transient || tries + 1 >= LIMITS.deliveryTries || backoffMs === undefined) return { state: 'dead', reason };
  const retryMs = Math.min(Math.max(backoffMs, retryAfterMs ?? 0), LIMITS.retryAfterMs);
  return { state: 'queued', tries: tries + 1, mayBeDuplicate, retryMs, reason };
}

const MARK_DELIVERED = compiled((db, it: { ordinal: number; platformId: string | null; at: string }) =>
  db
    .updateTable('deliveries')
    .set({ state: 'delivered', platform_id: it.platformId, reason: null, settled_at: it.at, due_at: null })
    .where('ordinal', '=', it.ordinal)
    .where('state', 'in', ['queued', 'sending']),
);

/** Writes the decision and takes the next head of the same chat if `mayTakeNext`. */
export async function writeReceipt(
  tx: Tx,
  delivery: Delivery,
  after: AfterSend,
  now: Date,
  mayTakeNext: boolean,
): Promise<{ next: Delivery | null; receipt: Receipt | null }> {
  const at = now.toISOString();
  const base = tx
    .updateTable('deliveries')
    .where('ordinal', '=', delivery.ordinal)
    .where('state', 'in', ['queued', 'sending']);
  switch (after.state) {
    case 'delivered':
      await MARK_DELIVERED.run(tx, { ordinal: delivery.ordinal, platformId: after.platformId, at });
      break;
    case 'dead':
      await base.set({ state: 'dead', reason: after.reason, settled_at: at, due_at: null }).execute();
      break;
    case 'queued': {
      const dueAt = after.retryMs === null ? null : new Date(now.getTime() + after.retryMs).toISOString();
      const duplicate = after.mayBeDuplicate || delivery.mayBeDuplicate ? 1 : 0;
      const { tries, reason } = after;
      await base.set({ state: 'queued', tries, reason, may_be_duplicate: duplicate, due_at: dueAt }).execute();
      break;
    }
  }
  const next = mayTakeNext && after.state !== 'queued' ? await takeHead(tx, delivery.address, at) : null;
  return { next, receipt: receiptOf(delivery, after, at) };
}

function receiptOf(delivery: Delivery, after: AfterSend, timestamp: string): Receipt | null {
  if (delivery.seq === null || after.state === 'queued') return null;
  const status = after.state === 'delivered' ? 'delivered' : 'failed';
  const platformId = after.state === 'delivered' ? after.platformId : null;
  return { seq: delivery.seq, status, platformId, reason: after.state === 'dead' ? after.reason : null, timestamp };
}
