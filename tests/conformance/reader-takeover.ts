/** A reader that was taken over by the file of one session: what it says reaches neither the host nor the others. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { once } from 'node:events';
import { test } from 'node:test';
import { LIMITS } from '@halfdoor/protocol/limits';
import { readLines } from '../../host/outbound/answer.ts';
import { attacksOn, BAD, failureOf, GOOD } from './reader-stage.ts';

/** It serves everybody as it should but for `evil`, which it says or does when it is asked for the attacker's session. */
const taken = (evil: string): string => `
  const row = { content: JSON.stringify({ text: '${GOOD}' }) };
  const rows = { ok: true, messages: [row], acks: [], cursor: 0, heartbeat: '', progress: '' };
  const print = (it) => require('node:fs').writeSync(1, (typeof it === 'string' ? it : JSON.stringify(it)) + '\\n');
  let hello = true;
  require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
    if (hello) return (hello = false), print({ ready: true });
    const { id, session } = JSON.parse(line);
    if (session === '${GOOD}') return print({ id, ...rows });
    ${evil}
  });`;

function place(source: string): (folder: string) => string {
  return (folder) => {
    const dist = join(folder, 'dist');
    mkdirSync(dist);
    writeFileSync(join(dist, 'reader.js'), source);
    return dist;
  };
}

const SAYINGS: readonly [name: string, evil: string][] = [
  ['no JSON', "print('}{')"],
  ['nothing but null', "print('null')"],
  ['an answer without rows', 'print({ id, ok: true })'],
  ['text for rows', "print({ id, ...rows, messages: 'many' })"],
  ['more rows than there may be', `print({ id, ...rows, acks: Array(${LIMITS.collectRows + 1}).fill(row) })`],
  ['a row that is none', 'print({ id, ...rows, messages: [null] })'],
  ['a cursor that is no number', "print({ id, ...rows, cursor: '1' })"],
  ['a heartbeat that is no text', 'print({ id, ...rows, heartbeat: {} })'],
  ['a failure nobody knows', "print({ id, ok: false, failure: 'forgiven', detail: '' })"],
  ['an answer to another question', 'print({ id: id + 1, ...rows })'],
  ['that it is ready, again', 'print({ ready: true })'],
  ['nothing, and ends', 'process.exit(0)'],
];

function sayings(): void {
  for (const [name, evil] of SAYINGS) {
    attacksOn(false, place(taken(evil)))(
      `taken over, it says ${name}: given up after two tries`,
      async ({ reader, log }) => {
        const asked = [GOOD, BAD, GOOD].map((id) => reader.read(id, 0));
        const [before, result, after] = await Promise.all(asked);
        assert.ok(before?.ok && after?.ok);
        assert.deepEqual(result, { ok: false, failure: 'timeout', detail: 'the reader ended twice on this file' });
        assert.equal(log().match(/the reader ended/g)?.length, 2);
      },
    );
  }

  const more = 'print({ id, ...rows }); print({ id: id + 9, ...rows });';
  attacksOn(false, place(taken(more)))(
    'taken over, it goes on talking after its answer: it is replaced',
    async ({ reader, log }) => {
      assert.ok((await reader.read(BAD, 0)).ok);
      assert.ok((await reader.read(GOOD, 0)).ok);
      assert.match(log(), /said what nobody asked/);
    },
  );
}

function lateness(): void {
  const late = "print({ id, ...rows }); require('node:fs').writeFileSync(process.argv[1] + '.answered', '')";
  attacksOn(false, place(taken(late)))(
    'an answer after the deadline is nobody else’s, and no timer outlives it',
    async ({ reader, clock, folder }) => {
      assert.ok((await reader.read(GOOD, 0)).ok);
      const tooLate = reader.read(BAD, 0);
      // The host is busy meanwhile: the answer lies in the pipe when the deadline comes.
      const pause = new Int32Array(new SharedArrayBuffer(4));
      while (!existsSync(join(folder, 'dist', 'reader.js.answered'))) Atomics.wait(pause, 0, 0, 1);
      clock.fire();
      const others = [reader.read(GOOD, 0), reader.read(GOOD, 0)];
      assert.equal(failureOf(await tooLate), 'timeout');
      for (const other of await Promise.all(others)) assert.ok(other.ok);
      assert.equal(clock.pending, 0);
    },
  );
}

function floods(): void {
  test('a line without end is cut off, and nothing after it is heard', async () => {
    const stream = new PassThrough();
    const heard: (string | null)[] = [];
    readLines(stream, (line) => heard.push(line));
    stream.write('first\nsec');
    stream.write('ond\n\n');
    const part = Buffer.alloc(8 * 1024 * 1024, 0x78);
    // As much again as may be, should it go on for ever.
    for (let n = 0; n < 32 && !stream.destroyed; n++)
      if (!stream.write(part)) await Promise.race([once(stream, 'drain'), once(stream, 'close')]);
    assert.ok(stream.destroyed);
    assert.deepEqual(heard, ['first', 'second', '', null]);
  });
}

export function takeoverCases(): void {
  sayings();
  lateness();
  floods();
}
