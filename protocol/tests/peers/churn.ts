/** A run that commits without end, every third time more than fits SQLite's cache; prints each commit after it. */
import { writeSync } from 'node:fs';
import { makeDurable } from '../../durable.ts';
import { OutboundWriter } from '../../outbound.ts';

const input = JSON.parse(process.argv[2] ?? '') as { outbound: string; run: number; bigBytes: number };
const say = (value: object): number => writeSync(1, `${JSON.stringify(value)}\n`);
const writer = new OutboundWriter(input.outbound, input.run, makeDurable());
let last = Number(writer.state('last')?.split(':', 1)[0] ?? 0);
say({ open: last });
for (;;) {
  last += 1;
  const turn = `t${last}`;
  const pad = 'x'.repeat(last % 3 === 0 ? input.bigBytes : 10);
  writer.write('settle', {
    messages: [0, 1, 2].map((part) => ({
      id: `${turn}-${part}`,
      kind: 'message',
      turn,
      answers: [turn],
      timestamp: '2026-01-02T03:04:05Z',
      destination: 'terminal',
      thread: null,
      text: turn,
    })),
    acks: [{ messageId: turn, status: 'done', reason: null }],
    state: { last: `${last}:${pad}` },
    seenSeq: 0,
  });
  say({ committed: last });
}
