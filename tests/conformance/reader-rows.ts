/** Rows that no runner of ours would write: the reader hands them on or refuses, and the host's border has the last word. */
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { LIMITS } from '@halfdoor/protocol/limits';
import { HostileRows, parseRows } from '../../host/outbound/collect.ts';
import { AT, BAD, failureOf, sql, textsOf, type Attack, type Place } from './reader-stage.ts';

const INSERT = `insert into messages_out (seq, id, run, turn, answers, kind, destination, thread, content, timestamp)
  values (?, hex(randomblob(8)), 1, 't', '[]', 'message', 'home', null, cast(? as text), '${AT}')`;

/** `rows` are all there is in the file then. */
function put(outbound: string, rows: readonly [seq: number | bigint, content: string | Uint8Array][]): void {
  const db = new DatabaseSync(outbound, { defensive: false });
  db.exec('pragma ignore_check_constraints = on; begin; delete from messages_out');
  const insert = db.prepare(INSERT);
  for (const [seq, content] of rows) insert.run(seq, content);
  db.exec('commit');
  db.close();
}

const content = (text: string): string => JSON.stringify({ text });

async function border({ reader }: Place, cursor: number): Promise<ReturnType<typeof parseRows>> {
  const result = await reader.read(BAD, cursor);
  assert.ok(result.ok, JSON.stringify(result));
  return parseRows(result, cursor);
}

function numberCases(attack: Attack): void {
  const hostile: [name: string, cursor: number, seqs: number[]][] = [
    ['an even number', 0, [2]],
    ['an even number behind sound ones', 0, [1, 3, 6]],
    ['a number more than 2^20 above the cursor', 0, [LIMITS.seqAhead + 1]],
    ['the greatest number there is', 100, [Number.MAX_SAFE_INTEGER]],
  ];
  for (const [name, cursor, seqs] of hostile) {
    attack(`${name} spoils the file`, async (place) => {
      put(
        place.outbound,
        seqs.map((seq) => [seq, content('x')]),
      );
      await assert.rejects(border(place, cursor), HostileRows);
    });
  }

  attack('a number past 2^53 is refused by the reader itself', async ({ outbound, reader }) => {
    put(outbound, [[2n ** 53n + 1n, content('x')]]);
    const result = await reader.read(BAD, 0);
    assert.ok(!result.ok);
    assert.equal(result.failure, 'refused');
    assert.match(result.detail, /bad row/);
  });

  attack('the furthest number allowed is taken', async (place) => {
    put(place.outbound, [[LIMITS.seqAhead - 1, content('far')]]);
    assert.equal((await border(place, 0)).messages[0]?.seq, LIMITS.seqAhead - 1);
  });

  attack('numbers at or below the cursor, and below zero, are not read again', async ({ outbound, reader }) => {
    put(outbound, [
      [-3, content('below zero')],
      [1, content('below')],
      [3, content('at')],
    ]);
    const result = await reader.read(BAD, 3);
    assert.deepEqual(textsOf(result), []);
    assert.ok(result.ok);
    assert.equal(result.cursor, 3);
  });

  attack(
    'of many rows no more than the limit come at once, in order, and the cursor says where to go on',
    async (place) => {
      const seqs = Array.from({ length: LIMITS.collectRows + 7 }, (_, n) => 2 * n + 1);
      put(
        place.outbound,
        seqs.map((seq) => [seq, content(String(seq))]),
      );
      const first = await place.reader.read(BAD, 0);
      assert.deepEqual(textsOf(first), seqs.slice(0, LIMITS.collectRows).map(String));
      assert.ok(first.ok);
      assert.deepEqual(textsOf(await place.reader.read(BAD, first.cursor)), seqs.slice(LIMITS.collectRows).map(String));
    },
  );
}

function contentCases(attack: Attack): void {
  attack('a value over 4 MiB is refused by the reader itself', async ({ outbound, reader }) => {
    put(outbound, [[1, 'x'.repeat(2 * LIMITS.rowBytes + 1)]]);
    const result = await reader.read(BAD, 0);
    assert.ok(!result.ok);
    assert.equal(result.failure, 'refused');
    assert.match(result.detail, /over 4194304 bytes/);
  });

  const refused: [name: string, value: string | Uint8Array, reason: RegExp][] = [
    ['over 2 MiB', content('x'.repeat(LIMITS.rowBytes)), /content is over 2097152 bytes/],
    ['of a text over 256 KiB', content('x'.repeat(LIMITS.textOutBytes + 1)), /content.text is over 262144 bytes/],
    ['that is not JSON', '{', /not JSON/],
    ['nested deep', `{"text":"x","a":${'['.repeat(500)}${']'.repeat(500)}}`, /nested/],
    ['with a NUL behind the text', Buffer.from('{"text":"x"}\0{}'), /not JSON/],
  ];
  for (const [name, value, reason] of refused) {
    attack(`a content ${name} is refused alone, and its neighbours are taken`, async (place) => {
      put(place.outbound, [
        [1, content('before')],
        [3, value],
        [5, content('after')],
      ]);
      const { messages, bad } = await border(place, 0);
      assert.deepEqual(
        messages.map(({ seq }) => seq),
        [1, 5],
      );
      assert.equal(bad.length, 1);
      assert.equal(bad[0]?.seq, 3);
      assert.match(bad[0]?.reason ?? '', reason);
    });
  }

  const taken: [name: string, value: string | Uint8Array, text: string][] = [
    // 0x80 alone, an overlong start and a cut-off sequence.
    ['that is not UTF-8', Buffer.from('{"text":"a\x80\xc0\xe2\x82b"}', 'latin1'), 'a\ufffd\ufffd\ufffdb'],
    ['with line ends of Unicode', content('a\u2028b\u2029c\u0085d'), 'a\u2028b\u2029c\u0085d'],
    ['with every control character', content('\r\n\0\x1b[2J'), '\r\n\0\x1b[2J'],
  ];
  for (const [name, value, text] of taken) {
    attack(`a text ${name} comes whole, as one row`, async (place) => {
      put(place.outbound, [[1, value]]);
      const [message] = (await border(place, 0)).messages;
      assert.ok(message?.kind === 'message');
      assert.equal(message.text.replace(/\ufffd+/, '\ufffd'), text.replace(/\ufffd+/, '\ufffd'));
    });
  }
}

/** Not one byte of it written by us: what a page of rows may be at worst. */
function bulkCases(attack: Attack): void {
  attack('a file full of what grows sixfold as JSON is answered or cut off, never swallowed', async (place) => {
    put(
      place.outbound,
      Array.from({ length: 7 }, (_, n) => [2 * n + 1, '\u0001'.repeat(2 * 1024 * 1024)]),
    );
    const result = await place.reader.read(BAD, 0);
    assert.ok(['ok', 'timeout'].includes(failureOf(result)), JSON.stringify(result).slice(0, 200));
    if (result.ok) assert.equal(parseRows(result, 0).bad.length, 7);
  });

  attack('acks out of rule spoil the file as messages do', async (place) => {
    sql(place.outbound, "insert into processing_ack (seq, message_id, run, status) values (4, 'x', 1, 'done')");
    await assert.rejects(border(place, 0), HostileRows);
  });

  attack('an ack of a status that is none is refused alone', async (place) => {
    sql(place.outbound, "insert into processing_ack (seq, message_id, run, status) values (3, 'x', 1, 'won')");
    const { messages, acks, bad } = await border(place, 0);
    assert.deepEqual([messages.length, acks.length, bad.length, bad[0]?.seq], [1, 0, 1, 3]);
  });
}

export function rowCases(attack: Attack): void {
  numberCases(attack);
  contentCases(attack);
  bulkCases(attack);
}
