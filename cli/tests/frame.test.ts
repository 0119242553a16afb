import assert from 'node:assert/strict';
import { test } from 'node:test';
import { doingOf, timed } from '../chat/doing.ts';
import { frameOf, rewrappedCursorRow } from '../chat/frame.ts';
import { widthOf, wrap } from '../chat/width.ts';

test('width: plain, wide, combining, pictures', () => {
  const widths = ['abc', 'é', 'e\u0301', '漢字', 'ｱﾊ', '한', '🚀', '️\u200b', 'ﾊ', '…'].map(widthOf);
  assert.deepEqual(widths, [3, 1, 1, 4, 2, 2, 2, 0, 1, 1]);
});

test('wrap: by columns, a wide character is never cut in two, a mark stays with its letter', () => {
  assert.deepEqual(wrap('abcdef', 4), ['abcd', 'ef']);
  assert.deepEqual(wrap('abc漢字', 4), ['abc', '漢字']);
  assert.deepEqual(wrap('abce\u0301f', 4), ['abce\u0301', 'f']);
  assert.deepEqual(wrap('a\n\nb\t', 9), ['a', '', 'b    ']);
  assert.deepEqual(wrap('漢', 1), ['漢']);
});

const line = (text: string, cursor = text.length) => ({ text, cursor });

test('frame: the reply, what it is at, the line; each row leaves the last column free', () => {
  const partial = { text: 'Hello 漢字 and more', cut: false };
  const frame = frameOf({ partial, status: 'writing', line: line('typing') }, { columns: 11, rows: 10 });
  assert.deepEqual(frame.rows, ['Hello 漢字', ' and more', '[writing]', '> typing']);
  assert.deepEqual([frame.statusRow, frame.cursorRow, frame.cursorColumn], [2, 3, 8]);
});

test('frame: of a reply taller than the screen only its last rows, and a piece without its beginning says so', () => {
  const partial = { text: Array.from({ length: 30 }, (_, n) => `row ${n}`).join('\n'), cut: false };
  const frame = frameOf({ partial, status: 'writing', line: line('') }, { columns: 40, rows: 6 });
  assert.deepEqual(frame.rows, ['row 27', 'row 28', 'row 29', '[writing]', '> ']);
  const cut = frameOf({ partial: { text: 'end', cut: true }, status: null, line: line('') }, { columns: 40, rows: 6 });
  assert.deepEqual(cut.rows, ['… end', '> ']);
});

test('frame: a line of many rows is shown around its cursor, however small the screen', () => {
  const text = Array.from({ length: 20 }, (_, n) => `line ${n}`).join('\n');
  const top = frameOf({ partial: null, status: null, line: line(text, 0) }, { columns: 40, rows: 5 });
  assert.deepEqual(top.rows, ['> line 0', '  line 1', '  line 2']);
  assert.equal(top.cursorRow, 0);
  const end = frameOf({ partial: null, status: null, line: line(text) }, { columns: 40, rows: 5 });
  assert.deepEqual([end.rows, end.cursorRow], [['  line 17', '  line 18', '  line 19'], 2]);
  for (let rows = 1; rows < 6; rows++) {
    for (let columns = 1; columns < 8; columns++) {
      const frame = frameOf({ partial: { text, cut: true }, status: 'x', line: line('漢字漢字') }, { columns, rows });
      assert.ok(frame.cursorRow >= 0 && frame.cursorRow < frame.rows.length);
    }
  }
});

test('frame: a cursor behind a full row stands on the next', () => {
  const { rows, cursorRow, cursorColumn } = frameOf(
    { partial: null, status: null, line: line('abcdefg') },
    { columns: 10, rows: 9 },
  );
  assert.deepEqual([rows, cursorRow, cursorColumn], [['> abcdefg', ''], 1, 0]);
});

test('frame: where the cursor is once a narrower terminal has wrapped it', () => {
  const frame = { rows: ['x'.repeat(39), 'yy', '> abc'], statusRow: -1, cursorRow: 2, cursorColumn: 5 };
  assert.deepEqual(
    [40, 20, 10].map((columns) => rewrappedCursorRow(frame, columns)),
    [2, 3, 5],
  );
});

test('what it is at: in words, with the time since it began', () => {
  const nowMs = Date.parse('2026-01-02T00:01:00.000Z');
  const say = (state: Parameters<typeof doingOf>[0]['state'], detail: string | null, since: string) => {
    const doing = doingOf({ type: 'progress', state, detail, since }, nowMs);
    return doing && timed(doing, nowMs + 2_000);
  };
  const since = '2026-01-02T00:00:28.000Z';
  assert.deepEqual(
    [
      say('waiting', null, since),
      say('thinking', null, '2026-01-02T00:00:59.000Z'),
      say('writing', null, since),
      say('tool', 'shell', '2026-01-02T00:00:50.000Z'),
      say('queued', null, since),
      say('queued', '3 of 5', since),
      say('parked', 'not a time', since),
      say('starting', null, since),
      say('retrying', 'the model is overloaded', since),
      say('tool', 'shell\n> rm\t\u2028x', since),
      say('idle', null, since),
      say('waiting', null, '2026-01-01T23:57:00.000Z'),
      say('thinking', null, 'not a time'),
      say('thinking', null, '2999-01-01T00:00:00.000Z'),
    ],
    [
      'waiting for the model, 34 s',
      'thinking, 3 s',
      'writing',
      'running shell, 12 s',
      'waiting for a free place, 34 s',
      'waiting for a free place, number 3 of 5 in the queue, 34 s',
      "waiting for the model's quota until not a time, 34 s",
      'starting the sandbox, 34 s',
      'trying again: the model is overloaded, 34 s',
      'running shell > rm x, 34 s',
      null,
      'waiting for the model, 4 min 2 s',
      'thinking, 2 s',
      'thinking, 2 s',
    ],
  );
});
