import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault } from '../fault.ts';
import { InboundReader, InboundWriter } from '../inbound.ts';
import { LIMITS } from '../limits.ts';
import { parseAck, parseDestination, parseInbound, parseOutbound, parseRouting, type Row } from '../message.ts';
import { OUTBOUND_VERSION, OutboundWriter, readOutboundRows } from '../outbound.ts';
import { SessionFile } from '../sqlite.ts';
import { chat, message } from './rows.ts';
import { AT, durable, inWorld } from './world.ts';

const ADDRESS = '{"channel":"c","chat":"d","thread":null}';
const IN: Row = {
  id: 'i',
  seq: 2,
  kind: 'chat',
  timestamp: AT,
  wakes: 1,
  address: ADDRESS,
  sender: 's',
  role: 'owner',
  content: '{"text":"hi"}',
  files: '[]',
  withdrawn: 0,
};
const OUT: Row = {
  seq: 1,
  id: 'o',
  run: 1,
  turn: 't',
  answers: '["i"]',
  kind: 'message',
  destination: 'd',
  thread: null,
  content: '{"text":"hi"}',
  timestamp: AT,
};
const ACTION: Row = { ...OUT, kind: 'action', destination: null, content: '{"action":"x","input":{}}' };
const ACK: Row = { seq: 1, message_id: 'i', run: 1, status: 'done', reason: null };
const DESTINATION: Row = { local_name: 'd', target_type: 'chat', address: ADDRESS };
const ROUTING: Row = { seq_floor: 0, agent: 'a', provider: 'p', model: null, api: null, zone: 'UTC', folder: null };

const NOT_TEXT = [1, null, undefined, new Uint8Array(2), 'x'.repeat(513), {}, ['x']];
const NOT_A_NUMBER = [-1, 0.5, '1', null, undefined, NaN, Infinity, 2 ** 53, new Uint8Array(1)];
const NOT_A_TIME = [
  '',
  'now',
  '2026-01-02',
  '2026-01-02T03:04:05',
  '2026-01-02T03:04:05+01:00',
  '2026-13-40T99:99:99Z',
  7,
];
const NOT_AN_ADDRESS = ['', 'x', '[]', '1', '{}', '{"channel":1,"chat":"d"}', '{"channel":"c"}', 5];
const NOT_A_FOLDER = [
  '',
  '[]',
  '{}',
  7,
  '{"path":"/a","inside":"/s/folder","access":"write"}',
  '{"path":1,"inside":"/s/folder","access":"read-only"}',
  `{"path":"/${'x'.repeat(LIMITS.pathBytes)}","inside":"/s/folder","access":"read-only"}`,
];
const NOT_A_FLAG = [2, -1, '1', null, true];
const NOT_CONTENT = [
  '',
  '{',
  'null',
  '[]',
  '"x"',
  '{}',
  '{"text":1}',
  `{"text":"${'x'.repeat(LIMITS.textOutBytes + 1)}"}`,
  null,
];
const deep = (levels: number): string => `{"action":"x","input":{"a":${'['.repeat(levels)}${']'.repeat(levels)}}}`;

const BAD: [name: string, parse: (row: Row) => unknown, good: Row, column: string, values: unknown[]][] = [
  ['messages_in', parseInbound, IN, 'id', NOT_TEXT],
  ['messages_in', parseInbound, IN, 'seq', NOT_A_NUMBER],
  ['messages_in', parseInbound, IN, 'kind', ['', 'Chat', 'constructor', 1, null]],
  ['messages_in', parseInbound, IN, 'timestamp', NOT_A_TIME],
  ['messages_in', parseInbound, IN, 'wakes', NOT_A_FLAG],
  ['messages_in', parseInbound, IN, 'withdrawn', NOT_A_FLAG],
  ['messages_in', parseInbound, IN, 'address', NOT_AN_ADDRESS],
  ['messages_in', parseInbound, IN, 'sender', [1, 'x'.repeat(513)]],
  ['messages_in', parseInbound, IN, 'role', ['root', '', 1, '__proto__']],
  ['messages_in', parseInbound, IN, 'content', NOT_CONTENT],
  [
    'control',
    parseInbound,
    { ...IN, kind: 'control', content: '{"verb":"stop"}' },
    'content',
    ['{}', '{"verb":"go"}', '{"verb":["stop"]}'],
  ],
  ['messages_out', parseOutbound, OUT, 'seq', NOT_A_NUMBER],
  ['messages_out', parseOutbound, OUT, 'id', NOT_TEXT],
  ['messages_out', parseOutbound, OUT, 'run', NOT_A_NUMBER],
  ['messages_out', parseOutbound, OUT, 'turn', NOT_TEXT],
  [
    'messages_out',
    parseOutbound,
    OUT,
    'answers',
    ['', '{}', '"i"', '[1]', '[["i"]]', JSON.stringify(Array(1001).fill('i'))],
  ],
  ['messages_out', parseOutbound, OUT, 'kind', ['', 'Message', 'toString', null]],
  ['messages_out', parseOutbound, OUT, 'destination', NOT_TEXT],
  ['messages_out', parseOutbound, OUT, 'thread', [1, 'x'.repeat(513)]],
  ['messages_out', parseOutbound, OUT, 'timestamp', NOT_A_TIME],
  ['messages_out', parseOutbound, OUT, 'content', NOT_CONTENT],
  ['scratch', parseOutbound, { ...OUT, kind: 'scratch' }, 'content', NOT_CONTENT],
  [
    'action',
    parseOutbound,
    ACTION,
    'content',
    ['{"action":"x"}', '{"input":{}}', '{"action":1,"input":{}}', '{"action":"x","input":[]}'],
  ],
  ['action, nested', parseOutbound, ACTION, 'content', [deep(LIMITS.jsonDepth), deep(100_000)]],
  [
    'action, prototype',
    parseOutbound,
    ACTION,
    'content',
    [
      '{"action":"x","input":{"a":[{"__proto__":{"admin":true}}]}}',
      '{"action":"x","input":{"\\u005f_proto__":1}}',
      '{"__proto__":{"action":"x","input":{}}}',
    ],
  ],
  [
    'action, oversize',
    parseOutbound,
    ACTION,
    'content',
    [`{"action":"x","input":{"a":"${'x'.repeat(LIMITS.rowBytes)}"}}`],
  ],
  ['processing_ack', parseAck, ACK, 'seq', NOT_A_NUMBER],
  ['processing_ack', parseAck, ACK, 'message_id', NOT_TEXT],
  ['processing_ack', parseAck, ACK, 'run', NOT_A_NUMBER],
  ['processing_ack', parseAck, ACK, 'status', ['', 'Done', 'valueOf', 1, null]],
  ['processing_ack', parseAck, ACK, 'reason', [1, 'x'.repeat(4097), new Uint8Array(1)]],
  ['destinations', parseDestination, DESTINATION, 'local_name', NOT_TEXT],
  ['destinations', parseDestination, DESTINATION, 'target_type', ['', 'person', null]],
  ['destinations', parseDestination, DESTINATION, 'address', [...NOT_AN_ADDRESS, null]],
  ['session_routing', parseRouting, ROUTING, 'seq_floor', NOT_A_NUMBER],
  ['session_routing', parseRouting, ROUTING, 'agent', NOT_TEXT],
  ['session_routing', parseRouting, ROUTING, 'provider', NOT_TEXT],
  ['session_routing', parseRouting, ROUTING, 'model', [1, 'x'.repeat(513)]],
  ['session_routing', parseRouting, ROUTING, 'api', ['', 'gemini', 1]],
  ['session_routing', parseRouting, ROUTING, 'zone', NOT_TEXT],
  ['session_routing', parseRouting, ROUTING, 'folder', NOT_A_FOLDER],
];

for (const [name, parse, good, column, values] of BAD) {
  test(`border: a bad ${column} of ${name} is a bad row`, () => {
    assert.doesNotThrow(() => parse(good));
    values.forEach((value, at) => {
      assert.throws(
        () => parse({ ...good, [column]: value }),
        (error) => isFault(error, 'bad-row') && error.message.length < 200,
        `value ${at} of ${column} was taken`,
      );
    });
  });
}

test('border: what is just within the limits is taken', () => {
  const text = 'x'.repeat(LIMITS.textOutBytes);
  assert.doesNotThrow(() => parseOutbound({ ...OUT, content: JSON.stringify({ text }) }));
  assert.doesNotThrow(() => parseOutbound({ ...OUT, answers: JSON.stringify(Array(1000).fill('i')) }));
  assert.doesNotThrow(() => parseOutbound({ ...ACTION, content: deep(LIMITS.jsonDepth - 3) }));
  const controls = JSON.stringify({ text: '\u0001'.repeat(LIMITS.textOutBytes) });
  assert.ok(controls.length < LIMITS.rowBytes);
  assert.doesNotThrow(() => parseOutbound({ ...OUT, content: controls }));
});

test('border: unknown columns and keys are left behind', () => {
  const row = { ...OUT, extra: 1, content: '{"text":"hi","constructor":1,"toString":"x"}' };
  assert.deepEqual(Object.keys(parseOutbound(row)).sort(), [
    'answers',
    'destination',
    'files',
    'id',
    'kind',
    'run',
    'seq',
    'text',
    'thread',
    'timestamp',
    'turn',
  ]);
});

test('border: an oversize text says so, and not that it is no JSON', () => {
  const content = `{"text":"${'x'.repeat(LIMITS.rowBytes)}"}`;
  assert.throws(() => parseOutbound({ ...OUT, content }), /content is over/);
});

test('the host writes no row that the runner would refuse, and nothing of that projection', () =>
  inWorld((world) => {
    const writer = new InboundWriter(world.inbound, durable);
    const long = 'x'.repeat(513);
    const long64 = { channel: 'c', chat: long, thread: null };
    const projections = [
      { messages: [chat('good'), { ...chat('bad'), sender: long }] },
      { messages: [chat('good'), chat('bad', 'x'.repeat(LIMITS.textOutBytes + 1))] },
      { messages: [chat('good')], destinations: [{ localName: 'x', targetType: 'chat' as const, address: long64 }] },
      {
        messages: [chat('good')],
        routing: { seqFloor: 0, agent: long, provider: '', model: null, api: null, zone: '', folder: null },
      },
    ];
    for (const it of projections) {
      assert.throws(
        () => writer.project({ ...it, cursor: 0 }),
        (error) => isFault(error, 'bad-input') && error.next !== '',
      );
    }
    const reader = new InboundReader(world.inbound);
    assert.deepEqual(reader.messagesAbove(0, 9), []);
    assert.equal(writer.project({ messages: [chat('good')], cursor: 0 }), 1);
    assert.equal(reader.messagesAbove(0, 9)[0]?.seq, 2);
    reader.close();
    writer.close();
  }));

test('the runner writes no row that the host would refuse, and nothing of that write', () =>
  inWorld((world) => {
    const run = new OutboundWriter(world.outbound, 1, durable);
    const long = 'x'.repeat(513);
    const action = { id: 'a', kind: 'action' as const, turn: 't', answers: [], timestamp: AT, action: 'x' };
    const writes = [
      { messages: [message('good'), message('bad', 'x'.repeat(LIMITS.textOutBytes + 1))] },
      { messages: [message('good'), { ...message('bad'), destination: long }] },
      { messages: [message('good'), { ...message('bad'), timestamp: 'now' }] },
      { messages: [message('good'), { ...action, input: JSON.parse(`{"a":${'['.repeat(99)}${']'.repeat(99)}}`) }] },
      { messages: [message('good')], acks: [{ messageId: 'i', status: 'failed' as const, reason: 'x'.repeat(4097) }] },
    ];
    for (const it of writes) {
      assert.throws(
        () => run.write('settle', { ...it, seenSeq: 0 }),
        (error) => isFault(error, 'bad-input'),
      );
    }
    assert.deepEqual(run.write('settle', { messages: [message('good')], seenSeq: 0 }), [1]);
    run.close();
  }));

test('a whole number past 2^53 in a hostile file is a bad row, not an error of the runtime', () =>
  inWorld((world) => {
    const agent = new SessionFile(world.outbound, { access: 'runner-writes', timeoutMs: 5, version: OUTBOUND_VERSION });
    agent.exec(`insert into processing_ack values (1, 'i', 9223372036854775807, 'done', null)`);
    agent.close();
    const file = new SessionFile(world.outbound, { access: 'reads', timeoutMs: 250, version: OUTBOUND_VERSION });
    assert.throws(
      () => readOutboundRows(file, 0, 50),
      (error) => isFault(error, 'bad-row'),
    );
    file.close();
  }));

test('a value longer than any writer makes is refused before it is in memory', () =>
  inWorld((world) => {
    const agent = new SessionFile(world.outbound, { access: 'runner-writes', timeoutMs: 5, version: OUTBOUND_VERSION });
    agent.exec(`insert into processing_ack values (1, 'i', 1, 'done', cast(zeroblob(5000000) as text))`);
    agent.close();
    const file = new SessionFile(world.outbound, { access: 'reads', timeoutMs: 250, version: OUTBOUND_VERSION });
    assert.throws(
      () => readOutboundRows(file, 0, 50),
      (error) => isFault(error, 'bad-row'),
    );
    file.close();
  }));

test('what an earlier run said is told even when a row beside it is broken', () =>
  inWorld((world) => {
    const first = new OutboundWriter(world.outbound, 1, durable);
    first.write('say', { messages: [message('a', 'kept', ['i']), message('b', 'broken', ['i'])], seenSeq: 2 });
    first.close();
    const agent = new SessionFile(world.outbound, { access: 'runner-writes', timeoutMs: 5, version: OUTBOUND_VERSION });
    agent.exec(`update messages_out set content = 'torn' where id = 'b'`);
    agent.close();
    const second = new OutboundWriter(world.outbound, 2, durable);
    assert.deepEqual(
      second.saidBefore([{ id: 'i', seq: 2 }]).map((it) => it.id),
      ['a'],
    );
    assert.deepEqual(second.saidBefore([]), []);
    second.close();
  }));
