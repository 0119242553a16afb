import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  heartbeatFile,
  parseHeartbeat,
  parseProgress,
  progressFile,
  type Heartbeat,
  type Progress,
  type Said,
} from '../heartbeat.ts';
import { LIMITS } from '../limits.ts';
import { AT, inWorld } from './world.ts';

const BEAT: Heartbeat = { run: 1, beat: 2, turn: 't', claims: ['a', 'b'], tool: 'shell', deadline: 5_000 };
const IDLE: Progress = { run: 1, turn: null, state: 'idle', detail: null, since: AT, said: null };
const SAID: Said = { to: 'terminal', reply: 1, at: 12, text: 'zwölf 漢\n' };

test('the last line written is the one read, a shorter one after a longer one too', () =>
  inWorld((world) => {
    const path = join(world.outDir, 'heartbeat');
    const file = heartbeatFile(path);
    const long = {
      ...BEAT,
      claims: Array.from({ length: 50 }, (_, at) => `0197f0a0-0000-7000-8000-${String(at).padStart(12, '0')}`),
    };
    for (const it of [BEAT, long, BEAT, { ...BEAT, turn: null, claims: [], tool: null, deadline: null }]) {
      assert.equal(file.write(it), true);
      assert.deepEqual(parseHeartbeat(readFileSync(path, 'utf8')), it);
    }
    file.close();
    const progress = progressFile(join(world.outDir, 'progress'));
    const writing = { ...IDLE, state: 'writing' as const, turn: 't', said: SAID };
    for (const it of [IDLE, { ...IDLE, state: 'tool' as const, detail: 'shell', turn: 't' }, writing, IDLE]) {
      assert.equal(progress.write(it), true);
      assert.deepEqual(parseProgress(readFileSync(join(world.outDir, 'progress'), 'utf8')), it);
    }
    progress.close();
  }));

test('a beat that is too long for its file keeps the run alive with fewer claims', () =>
  inWorld((world) => {
    const path = join(world.outDir, 'heartbeat');
    const file = heartbeatFile(path);
    const claims = Array.from({ length: 200 }, (_, at) => `0197f0a0-0000-7000-8000-${String(at).padStart(12, '0')}`);
    assert.equal(file.write({ ...BEAT, beat: 77, claims }), true);
    assert.ok(statSync(path).size <= LIMITS.heartbeatBytes);
    const read = parseHeartbeat(readFileSync(path, 'utf8'));
    assert.equal(read?.beat, 77);
    assert.ok(read && read.claims.length > 50);
    assert.deepEqual(read.claims, claims.slice(0, read.claims.length));
    assert.equal(file.write({ ...BEAT, beat: 78, claims, tool: 'x'.repeat(5000) }), true);
    assert.equal(parseHeartbeat(readFileSync(path, 'utf8'))?.beat, 78);
    assert.equal(file.write({ ...BEAT, turn: 'x'.repeat(5000) }), false);
    assert.equal(parseHeartbeat(readFileSync(path, 'utf8'))?.beat, 78);
    file.close();
    const progress = progressFile(join(world.outDir, 'progress'));
    assert.equal(progress.write({ ...IDLE, detail: 'x'.repeat(5000) }), true);
    assert.deepEqual(parseProgress(readFileSync(join(world.outDir, 'progress'), 'utf8')), IDLE);
    progress.close();
  }));

test('a piece of text that is too long for its line keeps its newest part, and the state in any case', () =>
  inWorld((world) => {
    const path = join(world.outDir, 'progress');
    const file = progressFile(path);
    const read = (): Progress | null => parseProgress(readFileSync(path, 'utf8'));
    // Six bytes a character in JSON, one in UTF-8.
    const text = `${'\u0001'.repeat(LIMITS.saidBytes - 3)}end`;
    assert.equal(file.write({ ...IDLE, state: 'writing', said: { ...SAID, text } }), true);
    assert.ok(statSync(path).size <= LIMITS.progressBytes);
    const said = read()?.said;
    assert.ok(said && text.endsWith(said.text) && said.text.length > 300);
    assert.equal(said.at + said.text.length, SAID.at + text.length);
    assert.equal(file.write({ ...IDLE, state: 'writing', said: { ...SAID, to: 'x'.repeat(5_000) } }), true);
    assert.deepEqual([read()?.state, read()?.said], ['writing', null]);
    file.close();
  }));

test('a full disk costs a beat, never the run; a missing file is told at once', () =>
  inWorld((world) => {
    const file = heartbeatFile('/dev/full');
    assert.equal(file.write(BEAT), false);
    file.close();
    assert.throws(() => heartbeatFile(join(world.folder, 'none')), /ENOENT/);
  }));

test('every torn line counts as absent', () => {
  for (const [line, parse] of [
    [JSON.stringify(BEAT), parseHeartbeat],
    [JSON.stringify(IDLE), parseProgress],
  ] as const) {
    for (let at = 0; at < line.length; at += 1) assert.equal(parse(line.slice(0, at)), null, line.slice(0, at));
    assert.ok(parse(line) && parse(`${line}\n`) && parse(`${line}\nrest of a longer one"}\n`));
    assert.equal(parse(`\n${line}`), null);
    assert.equal(parse(`\0${line}`), null);
  }
});

test('hostile content is null or cut to what is known', () => {
  const beat = (change: object): string => JSON.stringify({ ...BEAT, ...change });
  const rubbish = [
    'null',
    '[]',
    '1',
    '"x"',
    '{}',
    '['.repeat(100_000),
    `{"a":`.repeat(50_000),
    '\ud800',
    '\x00'.repeat(4096),
  ];
  for (const it of [
    ...rubbish,
    ...[
      beat({ run: -1 }),
      beat({ run: 1.5 }),
      beat({ run: '1' }),
      beat({ run: 1e300 }),
      beat({ beat: null }),
      beat({ claims: 'a' }),
    ],
    beat({ claims: { length: 3 } }),
  ]) {
    assert.equal(parseHeartbeat(it), null, it.slice(0, 60));
  }
  const cut = parseHeartbeat(
    `{"__proto__":{"admin":true},"run":1,"beat":1,"turn":${JSON.stringify('x'.repeat(999))},"claims":[1,null,{},"a",${JSON.stringify('y'.repeat(999))}],"tool":{},"deadline":-1,"more":1}`,
  );
  assert.deepEqual(cut, { run: 1, beat: 1, turn: null, claims: ['a'], tool: null, deadline: null });
  assert.equal((cut as { admin?: boolean }).admin, undefined);
  assert.equal(parseHeartbeat(beat({ claims: Array(5_000).fill('a') }))?.claims.length, 2 * LIMITS.batchMessages);
  const progress = (change: object): string => JSON.stringify({ ...IDLE, ...change });
  for (const it of [
    ...rubbish,
    progress({ state: 'gone' }),
    progress({ state: '__proto__' }),
    progress({ since: 5 }),
    progress({ run: -1 }),
  ]) {
    assert.equal(parseProgress(it), null, it.slice(0, 60));
  }
  assert.deepEqual(parseProgress(progress({ detail: 'x'.repeat(999), turn: 7, more: 1 })), IDLE);
  for (const said of [
    'text',
    [],
    {},
    { ...SAID, to: 5 },
    { ...SAID, to: 'x'.repeat(999) },
    { ...SAID, reply: -1 },
    { ...SAID, at: 1e300 },
    { ...SAID, at: LIMITS.streamedChars + 1 },
    { ...SAID, at: 1.5 },
    { ...SAID, text: '' },
    { ...SAID, text: 'x'.repeat(LIMITS.saidBytes + 1) },
    { ...SAID, text: null },
  ]) {
    assert.deepEqual(parseProgress(progress({ said })), IDLE, JSON.stringify(said).slice(0, 60));
  }
  assert.deepEqual(parseProgress(progress({ said: { ...SAID, more: 1, text: '\u001b]0;t\u0007' } }))?.said, {
    ...SAID,
    text: '\u001b]0;t\u0007',
  });
});

test('a file written by hand is read as it stands', () =>
  inWorld((world) => {
    const path = join(world.outDir, 'heartbeat');
    assert.equal(parseHeartbeat(readFileSync(path, 'utf8')), null);
    writeFileSync(path, `{"run":3,"beat":4,"claims":[]}`);
    assert.deepEqual(parseHeartbeat(readFileSync(path, 'utf8')), {
      run: 3,
      beat: 4,
      turn: null,
      claims: [],
      tool: null,
      deadline: null,
    });
  }));
