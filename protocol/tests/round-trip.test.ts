import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { InboundReader, InboundWriter } from '../inbound.ts';
import { parseAck, parseOutbound, type NewInbound, type NewOutbound } from '../message.ts';
import { OUTBOUND_VERSION, OutboundWriter, readOutboundRows } from '../outbound.ts';
import { SessionFile } from '../sqlite.ts';
import { inboundSchema, outboundSchema, schemaFingerprint, SCHEMA_QUERY } from '../template.ts';
import { asRead, asSent, chat, done, HARD_TEXTS, message, TERMINAL } from './rows.ts';
import { AT, durable, inWorld, OWN, RUNTIMES, type World } from './world.ts';

const common = { timestamp: AT, wakes: false, address: null, sender: null, role: null };
const EVERY_IN: NewInbound[] = [
  chat('c'),
  { ...common, id: 'task', kind: 'task', text: 'do' },
  { ...common, id: 'hook', kind: 'webhook', text: '{}' },
  { ...common, id: 'note', kind: 'notice', text: 'told' },
  { ...common, id: 'stop', kind: 'control', control: { verb: 'stop' }, wakes: true },
  { ...chat('thread'), address: { channel: 'x', chat: 'y', thread: 'z' }, role: 'none' },
  ...Object.entries(HARD_TEXTS).map(([name, text]) => chat(name, text)),
];
const EVERY_OUT: NewOutbound[] = [
  message('m', 'hello', ['c', 'task']),
  { ...message('with files'), files: ['a.txt', 'b c.png'] },
  { ...message('threaded'), thread: 'th\0read \u{1f600}' },
  {
    id: 'a',
    kind: 'action',
    turn: 't',
    answers: [],
    timestamp: AT,
    action: 'x',
    input: { n: 2 ** 40, deep: [{ b: null }] },
  },
  { id: 's', kind: 'scratch', turn: 't', answers: [], timestamp: AT, text: 'thinking' },
  ...Object.entries(HARD_TEXTS).map(([name, text]) => message(name, text)),
];
const DESTINATIONS = [
  { localName: 'peer', targetType: 'agent' as const, address: { channel: 'peer', chat: 'b', thread: null } },
  { localName: 'terminal', targetType: 'chat' as const, address: TERMINAL },
];
const ROUTING = {
  seqFloor: 3,
  agent: 'a',
  provider: 'mock',
  model: null,
  api: 'openai' as const,
  zone: 'Europe/Berlin',
  folder: { path: '/srv/a b', inside: '/s/folder', access: 'read-only' as const },
};
const WRITE = {
  messages: EVERY_OUT,
  acks: [done('c'), { messageId: 'task', status: 'failed' as const, reason: 'no \0 luck' }],
  state: { 'continuation:mock': 'opaque \0 "handle"' },
};
const PROJECTION = { messages: EVERY_IN, destinations: DESTINATIONS, routing: ROUTING, cursor: 5 };

const inSeqs = EVERY_IN.map((_, at) => 6 + 2 * at);
const firstOut = (inSeqs.at(-1) ?? 0) + 1;
const outSeqs = EVERY_OUT.map((_, at) => firstOut + 2 * at);
const nextOut = (outSeqs.at(-1) ?? 0) + 2;
const expectedIn = EVERY_IN.map((it, at) => asRead(it, inSeqs[at] ?? 0));
const expectedOut = EVERY_OUT.map((it, at) => asSent(it, 1, outSeqs[at] ?? 0));
const expectedAcks = WRITE.acks.map((it, at) => ({ ...it, run: 1, seq: nextOut + 2 * at }));

/** Both runtimes see the same values: what a peer prints is compared after the same trip through JSON. */
const printed = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

function handOver(world: World, name: string, value: unknown): string {
  const path = join(world.folder, name);
  writeFileSync(path, JSON.stringify(value));
  return path;
}

for (const peer of RUNTIMES) {
  test(`every kind of row crosses: host under ${OWN}, runner under ${peer}`, () =>
    inWorld(async (world) => {
      const writer = new InboundWriter(world.inbound, durable);
      assert.equal(writer.project(PROJECTION), EVERY_IN.length);
      const write = handOver(world, 'write.json', WRITE);
      const said = await world.peer(peer, 'runner', { ...world, run: 1, write }).line();
      assert.deepEqual(said.messages, printed(expectedIn));
      assert.deepEqual(said.destinations, DESTINATIONS);
      assert.deepEqual(said.routing, { ...ROUTING, seqFloor: 5 });
      assert.deepEqual(said.seqs, outSeqs);
      assert.equal(said.state, WRITE.state['continuation:mock']);
      const file = new SessionFile(world.outbound, { access: 'reads', timeoutMs: 250, version: OUTBOUND_VERSION });
      const rows = readOutboundRows(file, 0, 50);
      assert.deepEqual(rows.messages.map(parseOutbound), expectedOut);
      assert.deepEqual(rows.acks.map(parseAck), expectedAcks);
      file.close();
      writer.close();
    }));

  test(`every kind of row crosses: runner under ${OWN}, host under ${peer}`, () =>
    inWorld(async (world) => {
      const run = new OutboundWriter(world.outbound, 1, durable);
      run.write('settle', { ...WRITE, seenSeq: inSeqs.at(-1) ?? 0 });
      const projection = handOver(world, 'projection.json', PROJECTION);
      const seen = await world.peer(peer, 'host', { ...world, projection }).line();
      assert.equal(seen.added, EVERY_IN.length);
      assert.deepEqual(seen.messages, printed(expectedOut));
      assert.deepEqual(seen.acks, printed(expectedAcks));
      const reader = new InboundReader(world.inbound);
      assert.deepEqual(reader.messagesAbove(0, 50), expectedIn);
      assert.deepEqual(reader.destinations(), DESTINATIONS);
      assert.equal(run.state('continuation:mock'), WRITE.state['continuation:mock']);
      run.write('continuation', { state: { 'continuation:mock': null }, seenSeq: 0 });
      assert.equal(run.state('continuation:mock'), null);
      reader.close();
      run.close();
    }));

  test(`a schema reads the same under ${OWN} and ${peer}`, () =>
    inWorld(async (world) => {
      const theirs = await world.peer(peer, 'schema', {}).line();
      for (const [path, schema, key] of [
        [world.inbound, inboundSchema(), 'inbound'],
        [world.outbound, outboundSchema(), 'outbound'],
      ] as const) {
        const file = new SessionFile(path, { access: 'reads', timeoutMs: 250, version: 1 });
        assert.equal(JSON.stringify(file.all(SCHEMA_QUERY)), schemaFingerprint(schema));
        assert.equal(schemaFingerprint(schema), theirs[key]);
        file.close();
      }
    }));
}

test('null, whole numbers past 2^31 and text with NUL are bound by position as they are', () =>
  inWorld((world) => {
    const file = new SessionFile(world.inbound, { access: 'host-writes', timeoutMs: 5, version: 1 });
    const [row] = file.all('select ? as a, ? as b, ? as c, hex(?) as d', null, 2 ** 53 - 1, 'x\0y', 'x\0y');
    assert.deepEqual({ ...row }, { a: null, b: 2 ** 53 - 1, c: 'x\0y', d: '780079' });
    for (const high of [2 ** 31 - 1, 2 ** 31, 2 ** 32 + 1, 2 ** 53 - 1]) {
      assert.equal(file.run('update meta set seq_high = ?', high), 1);
      const [stored] = file.all(
        'select seq_high as value, typeof(seq_high) as type from meta where seq_high = ?',
        high,
      );
      assert.deepEqual({ ...stored }, { value: high, type: 'integer' });
    }
    file.close();
  }));

test('receipts and withdrawals change what is there, and only that', () =>
  inWorld((world) => {
    const writer = new InboundWriter(world.inbound, durable);
    const receipt = { seq: 7, platformId: null, reason: null, timestamp: AT };
    writer.project({ messages: [chat('a'), chat('b')], receipts: [{ ...receipt, status: 'failed' }], cursor: 0 });
    writer.project({
      withdrawn: ['b', 'unknown'],
      receipts: [{ ...receipt, status: 'delivered', platformId: 'p' }],
      cursor: 0,
    });
    const reader = new InboundReader(world.inbound);
    assert.deepEqual(
      reader.messagesAbove(0, 9).map((it) => [it.id, it.withdrawn]),
      [
        ['a', false],
        ['b', true],
      ],
    );
    const file = new SessionFile(world.inbound, { access: 'reads', timeoutMs: 250, version: 1 });
    const rows = file.all('select seq, status, platform_id from delivered').map((row) => ({ ...row }));
    assert.deepEqual(rows, [{ seq: 7, status: 'delivered', platform_id: 'p' }]);
    for (const it of [file, reader, writer]) it.close();
  }));
