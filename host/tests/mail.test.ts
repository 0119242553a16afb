import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NewInbound } from '@halfdoor/protocol/message';
import { Mail } from '../sessions/mail.ts';

const message = (id: string, kind: 'chat' | 'control' = 'chat'): NewInbound => ({
  id,
  timestamp: '2026-01-01T00:00:00.000Z',
  wakes: true,
  address: null,
  sender: null,
  role: null,
  ...(kind === 'chat' ? { kind, text: id } : { kind, control: { verb: 'stop' } }),
});

test('nothing ends a run that nobody wants renewed', () => {
  const mail = new Mail();
  assert.equal(mail.mustEnd(new Set()), null);
  mail.add([message('a')]);
  assert.deepEqual([mail.waiting, mail.mustEnd(new Set(['a']))], [true, null]);
});

test('renewed: what the run was given is settled first, and nothing more is given to it', () => {
  const mail = new Mail();
  mail.hold('renewed');
  mail.add([message('later')]);
  assert.equal(mail.waiting, false);
  assert.equal(mail.mustEnd(new Set(['given', 'later'])), null);
  assert.equal(mail.mustEnd(new Set(['later'])), 'renewed');
  assert.equal(mail.mustEnd(new Set()), 'renewed');
  mail.letGo();
  assert.deepEqual([mail.waiting, mail.mustEnd(new Set())], [true, null]);
});

test('renewed: a person who wants it stopped is not kept waiting', () => {
  const mail = new Mail();
  mail.hold('renewed');
  mail.add([message('stop', 'control')]);
  assert.equal(mail.mustEnd(new Set(['given', 'stop'])), 'renewed');
});

test('revoked: at once, and no weaker reason comes after it', () => {
  const mail = new Mail();
  mail.hold('revoked');
  mail.hold('renewed');
  assert.equal(mail.mustEnd(new Set(['given'])), 'revoked');
});
