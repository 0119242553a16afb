import assert from 'node:assert/strict';
import { test } from 'node:test';
import { grant, type Claim, type Held } from '../agents/folder-access.ts';

const claim = (sessionId: string, path: string, givenAt: string, identity = path): Claim => ({
  sessionId,
  agent: `agent-${sessionId}`,
  path,
  identity,
  givenAt,
});
const held = (it: Claim, access: Held['access']): Held => ({ ...it, access });

const OWN = claim('own', '/a', '2026-01-02');
const EARLIER = claim('x', '/a', '2026-01-01');
const LATER = claim('x', '/a', '2026-01-03');

test('alone it writes', () => assert.deepEqual(grant(OWN, [], []), { access: 'read-write', with: null, clash: null }));

test('of several the first writes, and each is told of the other', () => {
  assert.deepEqual(grant(OWN, [EARLIER], []), { access: 'read-only', with: 'agent-x', clash: null });
  assert.deepEqual(grant(OWN, [LATER], []), { access: 'read-write', with: 'agent-x', clash: null });
});

test('given in the same moment, one of them writes', () => {
  const [a, b] = [claim('a', '/a', 'now'), claim('b', '/a', 'now')];
  assert.deepEqual([grant(a, [b], []).access, grant(b, [a], []).access], ['read-write', 'read-only']);
});

test('whoever still writes goes before any claim: two runs never write at once', () => {
  assert.equal(grant(OWN, [], [held(LATER, 'read-write')]).access, 'read-only');
  assert.equal(grant(OWN, [LATER], [held(LATER, 'read-only')]).access, 'read-write');
});

test('the same folder under another name is the same folder', () => {
  assert.equal(grant(OWN, [claim('x', '/bound', '2026-01-01', '/a')], []).access, 'read-only');
});

test('nothing above or below a folder of another session, mounted or only given', () => {
  const paths: [path: string, clashes: boolean][] = [
    ['/a/b', true],
    ['/', true],
    ['/ab', false],
    ['/b', false],
  ];
  for (const [path, clashes] of paths) {
    const other = claim('x', path, '2026-01-03');
    const clash = clashes ? { agent: 'agent-x', path } : null;
    assert.deepEqual(grant(OWN, [other], []).clash, clash, path);
    assert.deepEqual(grant(OWN, [], [held(other, 'read-only')]).clash, clash, path);
  }
});
