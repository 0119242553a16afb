/** The host's side: projects what it is given, then prints and parses what the runner wrote. */
import { readFileSync } from 'node:fs';
import { makeDurable } from '../../durable.ts';
import { InboundWriter } from '../../inbound.ts';
import { parseAck, parseOutbound } from '../../message.ts';
import { OUTBOUND_VERSION, readOutboundRows } from '../../outbound.ts';
import { SessionFile } from '../../sqlite.ts';

const input = JSON.parse(process.argv[2] ?? '') as { inbound: string; outbound: string; projection: string };
const writer = new InboundWriter(input.inbound, makeDurable());
const added = writer.project(JSON.parse(readFileSync(input.projection, 'utf8')));
writer.close();
const file = new SessionFile(input.outbound, { access: 'reads', timeoutMs: 250, version: OUTBOUND_VERSION });
const rows = readOutboundRows(file, 0, 50);
file.close();
console.log(JSON.stringify({ added, messages: rows.messages.map(parseOutbound), acks: rows.acks.map(parseAck) }));
