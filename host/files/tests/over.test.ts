import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOver, type Kept } from '../sweep.ts';

const waiting: Kept = { state: 'queued', closed: null, channel: 'far', deleted_at: null };
const inPlace = (channel: string): boolean => channel === 'terminal';

test('copies stay while somebody may still need them, and no longer', () => {
  for (const [it, over, why] of [
    [{}, false, 'it waits'],
    [{ state: 'sending' }, false, 'it is on its way'],
    [{ state: 'delivered' }, true, 'the platform has it'],
    [{ state: 'delivered', channel: 'terminal' }, false, 'the person opens it where it lies'],
    [{ state: 'dead' }, false, 'it may be taken up again'],
    [{ state: 'dead', closed: 'dropped' }, true, 'somebody gave it up'],
    [{ state: 'dead', deleted_at: 'then' }, true, 'its agent is no more'],
    [{ state: 'delivered', channel: 'terminal', deleted_at: 'then' }, false, 'the person has it still'],
    [{ state: null, channel: null }, true, 'nothing names it any more'],
  ] as const) {
    assert.equal(isOver({ ...waiting, ...it }, inPlace), over, why);
  }
});
