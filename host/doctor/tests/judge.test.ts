/** What the doctor makes of what it saw, without a machine that is so. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { homeAt } from '../../home.ts';
import type { Found } from '../check.ts';
import { judgeClock, type ClockSeen } from '../clock.ts';
import { judgeDatabase } from '../database.ts';
import { judgeRoom } from '../disk.ts';
import { judgeHeld } from '../held.ts';
import { judgeFolder } from '../home-folder.ts';

const MIB = 1024 * 1024;
const MINUTE_MS = 60_000;
const told = (found: readonly Found[]): string[] => found.map(({ id, severity }) => `${severity} ${id}`);

const roomy = { path: '/h', device: 'd', freeBytes: 5_000 * MIB, files: 1_000_000, freeFiles: 900_000 };
for (const [name, change, expected] of [
  ['room enough', {}, []],
  ['just enough', { freeBytes: 1_024 * MIB }, []],
  ['nearly full', { freeBytes: 1_024 * MIB - 1 }, ['warning disk:/h']],
  ['full', { freeBytes: 100 * MIB - 1 }, ['broken disk:/h']],
  ['few inodes', { freeFiles: 9_999 }, ['warning inodes:/h']],
  ['no inodes', { freeFiles: 0 }, ['broken inodes:/h']],
  ['inodes that are not counted', { files: 0, freeFiles: 0 }, []],
] as const) {
  test(`disk: ${name}`, () => assert.deepEqual(told(judgeRoom({ ...roomy, ...change })), expected));
}

const now = Date.parse('2026-03-01T12:00:00Z');
const right: ClockSeen = { now, newestRow: now - MINUTE_MS, checkout: now - MINUTE_MS, endpoints: [], ntp: null };
const endpoint = (minutes: number) => [{ host: 'a.b', date: now + minutes * MINUTE_MS }];
for (const [name, change, expected] of [
  ['right', {}, null],
  ['nothing written yet', { newestRow: null }, null],
  ['a step of NTP', { newestRow: now + 90_000 }, null],
  ['an hour behind its rows', { newestRow: now + 60 * MINUTE_MS }, /went back: the newest row .* 60 minutes after/],
  [
    'behind its own checkout',
    { checkout: now + 24 * 60 * MINUTE_MS },
    /this version of Halfdoor is from .* 24 hours after/,
  ],
  ['four minutes off an endpoint', { endpoints: endpoint(4) }, null],
  [
    'an hour behind an endpoint',
    { endpoints: endpoint(60) },
    /60 minutes behind, if a\.b is right: it says 2026-03-01T13:00:00Z/,
  ],
  ['an hour ahead of an endpoint', { endpoints: endpoint(-60) }, /60 minutes ahead/],
  ['not kept by NTP, and right', { ntp: false }, null],
] as const) {
  test(`clock: ${name}`, () => {
    const [found] = judgeClock({ ...right, ...change });
    if (expected === null) assert.equal(found, undefined);
    else assert.match(found?.what ?? '', expected);
  });
}

test('clock: systemd sets it where there is one, else the date of the endpoint does', () => {
  const next = (ntp: boolean | null): string => judgeClock({ ...right, endpoints: endpoint(60), ntp })[0]?.next ?? '';
  assert.match(next(false), /^sudo timedatectl set-ntp true/);
  assert.equal(next(null), "sudo date -u -s '2026-03-01T13:00:00Z'");
});

const quiet = { held: false, answers: false, pid: null, strays: 0, open: 0 };
for (const [name, change, expected] of [
  ['no host, none needed', {}, []],
  ['a host', { held: true, answers: true, pid: 7, open: 3 }, []],
  ['a host that is silent', { held: true, pid: 7 }, ['broken host-silent']],
  ['open work', { open: 1 }, ['warning host-missing']],
  ['a host that died', { pid: 7, strays: 2 }, ['warning pid-file-stale', 'warning strays']],
] as const) {
  test(`host: ${name}`, () => assert.deepEqual(told(judgeHeld(homeAt('/h'), { ...quiet, ...change })), expected));
}

const ours = { kind: 'folder' as const, uid: 5, mode: 0o700, writable: true };
for (const [name, change, expected] of [
  ['as it should be', {}, []],
  ["another user's", { uid: 0, writable: false }, ['broken home-not-ours']],
  ['open to others', { mode: 0o750 }, ['warning home-open']],
  ['not writable', { writable: false }, ['broken home-read-only']],
  ['a file', { kind: 'other' as const }, ['broken home-no-folder']],
] as const) {
  test(`home: ${name}`, () => {
    assert.deepEqual(told(judgeFolder('/h', { ...ours, ...change }, 5, (uid) => `uid ${uid}`)), expected);
  });
}

test('every state of the database that is no fault has nothing to tell, every other has one command', () => {
  const none = { newest: null, open: 0, sessions: [], endpoints: [], sandboxes: [] };
  for (const it of [{ state: 'missing' }, { state: 'older' }, { state: 'sound', ...none }] as const)
    assert.deepEqual(judgeDatabase('/h/central.db', it, '/r'), []);
  for (const it of [
    { state: 'damaged', why: 'w' },
    { state: 'unreadable', why: 'w' },
    { state: 'newer', migrations: ['9'], known: '1' },
  ] as const)
    assert.match(judgeDatabase('/h/central.db', it, '/r')[0]?.next ?? '', /^(sqlite3|ls -l|git -C) /);
});
