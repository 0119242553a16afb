/** The runner's side: prints what it reads of inbound.db, writes what it is given into outbound.db. */
import { readFileSync } from 'node:fs';
import { makeDurable } from '../../durable.ts';
import { InboundReader } from '../../inbound.ts';
import { OutboundWriter } from '../../outbound.ts';

const input = JSON.parse(process.argv[2] ?? '') as { inbound: string; outbound: string; run: number; write: string };
const reader = new InboundReader(input.inbound);
const messages = reader.messagesAbove(0, 50);
const read = { messages, destinations: reader.destinations(), routing: reader.routing() };
reader.close();
const writer = new OutboundWriter(input.outbound, input.run, makeDurable());
const write = JSON.parse(readFileSync(input.write, 'utf8'));
const seqs = writer.write('settle', { ...write, seenSeq: messages.at(-1)?.seq ?? 0 });
const state = writer.state('continuation:mock');
writer.close();
console.log(JSON.stringify({ ...read, seqs, state }));
