/** The same id came again: it stays one message, and the trace says so. */
import type { Tx } from '../db/central.ts';

export async function noteRepeat(tx: Tx, eventId: string, at: string): Promise<void> {
  await tx
    .updateTable('events')
    .set((eb) => ({ repeats: eb('repeats', '+', 1), repeated_at: at }))
    .where('id', '=', eventId)
    .execute();
}
